"""`dkd retry`: removes results, so that their cells run again from their beginning."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from pathlib import Path

from harness.commands.prune import remove
from harness.store import reading
from harness.store.layout import CellFolder, Results
from harness.store.records import Metrics

Wanted = Callable[[Metrics], bool]


def retry(results: Path, pattern: str = "*", overloaded: bool = False) -> list[str]:
    """Remove failed and diverged results of the cells that match, or those of an overloaded machine.

    Returns the names of the cells. A run that somebody is working in stays.
    """
    wanted: Wanted = (lambda result: result.overloaded) if overloaded else (lambda result: result.status != "done")
    cells = [cell for cell in Results(results).cells() if fnmatch.fnmatchcase(str(cell.name), pattern)]
    return [str(cell.name) for cell in cells if _remove(cell, wanted)]


def _remove(cell: CellFolder, wanted: Wanted) -> bool:
    removed = [remove(run) for run in cell.runs() if _is(wanted, run.metrics)]
    if not all(removed) or not (removed or _is(wanted, cell.metrics)):
        return False
    if _is(wanted, cell.metrics):
        cell.metrics.unlink()
    return True


def _is(wanted: Wanted, metrics: Path) -> bool:
    result = reading.read_intact(metrics, Metrics)
    return result is not None and wanted(result)
