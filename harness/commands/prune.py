"""`dkd prune`: removes the runs that are no cell's current result."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from harness.commands.output import Line, columns
from harness.store import occupancy, reading
from harness.store.layout import Results, RunFolder


@dataclass(frozen=True)
class OldRun:
    """A run that no cell's current result comes from."""

    folder: RunFolder
    bytes: int


def table(old: Iterable[OldRun]) -> Iterator[Line]:
    """Size and folder of every run."""
    yield columns((f"{run.bytes / 2**20:8.1f} MiB", str(run.folder.path)) for run in old)


def old_runs(results: Path) -> Iterator[OldRun]:
    """The runs that `prune` removes.

    A cell without a readable result keeps all its runs, and a run that somebody is working in stays.
    """
    for cell in Results(results).cells():
        current = reading.current_key(cell)
        for run in cell.runs() if current else []:
            if run.key != current and not occupancy.working(run):
                yield OldRun(run, run.size())


def prune(results: Path) -> list[OldRun]:
    """Remove old runs. Returns what was removed."""
    return [old for old in old_runs(results) if remove(old.folder)]


def remove(run: RunFolder) -> bool:
    """Remove a run unless somebody is working in it. The lock is held meanwhile, so that nobody starts."""
    if occupancy.working(run):
        return False
    try:
        with FileLock(run.lock, blocking=False):
            shutil.rmtree(run.path)
    except Timeout:
        return False
    return True
