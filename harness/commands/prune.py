"""`dkd prune`: removes runs that are no cell's result and will not be gone on with, and what kills left behind."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import Timeout

from harness.commands.output import Line, columns
from harness.machine import locks
from harness.store import atomic, checking, occupancy, reading
from harness.store.layout import CellFolder, Results, RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Manifest, Metrics


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

    Nothing of a cell goes unless its current run is there, whole, and agrees with the cell's result. A run that
    somebody is working in stays, and one that will go on from its checkpoint to a result newer than the current one.
    """
    for cell in Results(results).cells():
        runs = cell.runs()
        if len(runs) > 1 and (current := _current(cell)):
            old = (run for run in runs if run.key != current.key and not _goes_on(run, current))
            yield from (OldRun(run, run.size()) for run in old if not occupancy.working(run))


def _goes_on(run: RunFolder, current: Metrics) -> bool:
    """Whether a run was begun after the current result and waits to be taken up again."""
    manifest = reading.read_intact(run.manifest, Manifest)
    if run.metrics.exists() or not run.checkpoint.exists() or not manifest:
        return False
    return datetime.fromisoformat(manifest.attempts[-1].start) > datetime.fromisoformat(current.finished)


def _current(cell: CellFolder) -> Metrics | None:
    """The cell's result, if all records of the run that it comes from are there and agree."""
    try:
        result = checking.current(cell)
        checking.evidence(cell.run(result.key), result)
    except (FileNotFoundError, DamagedRecord):
        return None
    return result


def prune(results: Path) -> list[OldRun]:
    """Remove old runs. Returns what was removed."""
    return [old for old in old_runs(results) if remove(old.folder)]


def torn(results: Path) -> list[Path]:
    """Temporary files of processes that were killed long ago; `tidy` removes them."""
    return list(atomic.abandoned(Results(results).torn()))


def tidy(results: Path) -> list[Path]:
    """Remove the temporary files of killed processes. Returns what was found."""
    found = torn(results)
    atomic.remove_abandoned(found)
    return found


def remove(run: RunFolder) -> bool:
    """Remove a run unless somebody is working in it. The lock is held meanwhile, so that nobody starts."""
    if occupancy.working(run):
        return False
    try:
        with locks.lock(run.lock, blocking=False):
            shutil.rmtree(run.path)
    except Timeout:
        return False
    return True
