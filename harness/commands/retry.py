"""`dkd retry`: removes results, so that their cells run again from their beginning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness.commands import stored
from harness.commands.prune import remove
from harness.store import reading
from harness.store.layout import CellFolder
from harness.store.records import Metrics

Wanted = Callable[[Metrics], bool]


def retry(results: Path, pattern: str = "*", overloaded: bool = False) -> list[str]:
    """Remove failed and diverged results of the cells that match, or those of an overloaded machine.

    Returns the names of the cells. A run that somebody is working in stays. Raises UserError if no cell matches.
    """
    wanted: Wanted = (lambda result: result.overloaded) if overloaded else (lambda result: result.status != "done")
    return [str(cell.name) for cell in stored.cells(results, pattern) if _remove(cell, wanted)]


def _remove(cell: CellFolder, wanted: Wanted) -> bool:
    """Whether the cell runs again. One with another result does not: older runs of it are `dkd prune`'s."""
    current = reading.read_intact(cell.metrics, Metrics)
    if current and not wanted(current):
        return False
    removed = [remove(run) for run in cell.runs() if _is(wanted, run.metrics)]
    if not all(removed) or not (removed or current):
        return False
    if current:
        cell.metrics.unlink()
    return True


def _is(wanted: Wanted, metrics: Path) -> bool:
    result = reading.read_intact(metrics, Metrics)
    return result is not None and wanted(result)
