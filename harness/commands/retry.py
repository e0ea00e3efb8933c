"""`dkd retry`: removes failed and diverged results, so that these cells run again from their beginning."""

from __future__ import annotations

import fnmatch
from pathlib import Path

from harness.commands.prune import remove
from harness.store import reading
from harness.store.layout import CellFolder, Results
from harness.store.records import Metrics


def retry(results: Path, pattern: str = "*") -> list[str]:
    """Remove failed and diverged results of the cells that match.

    Returns the names of the cells. A run that somebody is working in stays.
    """
    cells = [cell for cell in Results(results).cells() if fnmatch.fnmatchcase(str(cell.name), pattern)]
    return [str(cell.name) for cell in cells if _remove_failed(cell)]


def _remove_failed(cell: CellFolder) -> bool:
    removed = [remove(run) for run in cell.runs() if _failed(run.metrics)]
    if not all(removed) or not (removed or _failed(cell.metrics)):
        return False
    if _failed(cell.metrics):
        cell.metrics.unlink()
    return True


def _failed(metrics: Path) -> bool:
    result = reading.read_intact(metrics, Metrics)
    return result is not None and result.status != "done"
