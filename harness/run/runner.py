"""Runs one cell from whatever state it is in, and leaves its records behind.

Finished results are copied back without importing torch, which is imported only when there is something to train.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from harness.grid.cell import Cell
from harness.machine import gpus
from harness.run.run import Run
from harness.store import atomic, checking, occupancy
from harness.store.files import there
from harness.store.records import Metrics
from harness.teachers import shelf
from harness.terminal import say


def run_cell(cell: Cell, *, results: Path, plan_key: str | None = None, concurrent: int = 1) -> Metrics:
    """Bring one cell to its end and return its metrics.

    Args:
        cell: of the grid.
        results: the results folder, which also holds the teacher.
        plan_key: as the planner computed it; computed here if None.
        concurrent: how many cells may run at the same time on this machine; recorded.

    A method that fails or diverges is a result, with its status and reason. Raises UserError for anything the user can
    put right, and lets trouble of the machine pass (out of memory, full disk, signals).
    """
    waited = 0.0
    while True:
        run, start = Run.of(cell, results, plan_key, concurrent), time.monotonic()
        try:
            metrics = _finished(run) or _work(run, waited)
        except shelf.Replaced as change:  # another teacher is another key
            say(f"{cell.name}: {change}; starting over with the new one")
            waited += time.monotonic() - start
            continue
        # Always, also when nothing was done: the workflow may have deleted the copy, or it may be of another key.
        atomic.copy(run.folder.metrics, run.cell_folder.metrics)
        return metrics


def _finished(run: Run) -> Metrics | None:
    """The result, if it is there and nothing is left to tidy up: then neither lock nor torch is needed."""
    return None if not there(run.folder.metrics) or any(run.folder.leftovers()) else _checked(run)


def _checked(run: Run) -> Metrics:
    """The result of a finished run. Raises DamagedRecord, before anything is copied over the cell's result."""
    result, _ = checking.whole(run.folder, weights=False)
    return result


def _work(run: Run, waited: float) -> Metrics:
    """Train unless somebody else did meanwhile, and tidy up; ``waited`` are the seconds spent waiting until now."""
    with occupancy.hold(run.folder.lock, str(run.cell.name)) as seconds:
        _remove(run.folder.torn())
        # Asked again under the lock: the process that held it until now may have finished this very run.
        done = there(run.folder.metrics) or _taken_back(run)
        metrics = _checked(run) if done else _train(run, waited + seconds)
        _remove(run.folder.leftovers())
    return metrics


def _taken_back(run: Run) -> bool:
    """Whether the result, lost in the run's folder, could be copied back from the cell's: all else of it agrees."""
    if checking.current_key(run.cell_folder) != run.key:
        return False
    atomic.copy(run.cell_folder.metrics, run.folder.metrics)
    return True


def _train(run: Run, waited: float) -> Metrics:
    """Take a GPU if there is one, then train. The run's lock is held."""
    cards = gpus.visible() if run.cell.device != "cpu" else []
    card = gpus.lease(cards, name=run.cell.name, share=run.cell.sharing) if cards else None
    try:
        # Here all waiting ends: the teacher may have been replaced meanwhile.
        shelf.require_current(run.teacher_folder, run.teacher, run.cell.own)
        return _attempt(run, waited + (card.waited if card else 0.0))
    except shelf.Replaced:
        if card:
            card.release()
        raise


def _attempt(run: Run, waited: float) -> Metrics:
    """One process at work, entered in the manifest."""
    from harness.run import manifest, session  # imports torch, and must come after the lease

    with manifest.attempt(run) as entry:
        return session.train(run, waited, entry)


def _remove(files: Iterable[Path]) -> None:
    """Remove files of a run whose lock is held."""
    for file in files:
        file.unlink()
