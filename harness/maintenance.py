"""`dkd retry` and `dkd prune`: the only commands that remove results, and only when asked to."""

from __future__ import annotations

import fnmatch
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from harness import records, runs
from harness.records import DamagedRecord, Metrics


@dataclass(frozen=True)
class OldRun:
    """A run folder that no cell's current result comes from."""

    path: Path
    bytes: int


def retry(results: Path, pattern: str = "*") -> list[str]:
    """Remove failed and diverged results of the cells that match, so that they run again from their beginning.

    Returns the names of the cells. A run that somebody is working in stays.
    """
    cells = [cell for cell in runs.cells(results) if fnmatch.fnmatchcase(_name(results, cell), pattern)]
    return [_name(results, cell) for cell in cells if _remove_failed(cell)]


def old_runs(results: Path) -> Iterator[OldRun]:
    """The run folders that `prune` removes.

    A cell without a readable metrics.json keeps all its runs, and a run that somebody is working in stays.
    """
    for cell in runs.cells(results):
        current = runs.current_key(cell)
        for run in runs.of_cell(cell) if current else []:
            if run.name != current and not runs.working(run):
                yield OldRun(run, runs.size(run))


def prune(results: Path) -> list[OldRun]:
    """Remove old runs. Returns what was removed."""
    return [old for old in old_runs(results) if _remove(old.path)]


def _remove_failed(cell: Path) -> bool:
    failed = [run for run in runs.of_cell(cell) if _failed(run / "metrics.json")]
    removed = [_remove(run) for run in failed]
    if not all(removed) or not (removed or _failed(cell / "metrics.json")):
        return False
    if _failed(cell / "metrics.json"):
        (cell / "metrics.json").unlink()
    return True


def _failed(path: Path) -> bool:
    try:
        return records.read(path, Metrics).status != "done"
    except (FileNotFoundError, DamagedRecord):
        return False


def _remove(run: Path) -> bool:
    """Remove a run folder unless somebody is working in it. The lock is held meanwhile, so that nobody starts."""
    if runs.working(run):
        return False
    try:
        with FileLock(run / "lock", blocking=False):
            shutil.rmtree(run)
    except Timeout:
        return False
    return True


def _name(results: Path, cell: Path) -> str:
    return cell.relative_to(results).as_posix()
