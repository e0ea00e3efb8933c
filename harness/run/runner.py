"""Runs one cell from whatever state it is in, and leaves its records behind.

Finished results are copied back without importing torch, which is imported only when there is something to train.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from harness.grid.cell import Cell
from harness.machine import gpus
from harness.run.run import Run
from harness.store import atomic, reading
from harness.store.records import Metrics


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
    run = Run.of(cell, results, plan_key, concurrent)
    run.folder.path.mkdir(parents=True, exist_ok=True)
    metrics = _finished(run) or _work(run)
    # Always, also when nothing was done: the workflow may have deleted the copy, or it may be of another key.
    atomic.copy(run.folder.metrics, run.cell_folder.metrics)
    return metrics


def _finished(run: Run) -> Metrics | None:
    """The result, if it is there and nothing is left to tidy up: then neither lock nor torch is needed."""
    if not run.folder.metrics.exists() or any(run.folder.leftovers()):
        return None
    return reading.read(run.folder.metrics, Metrics)


def _work(run: Run) -> Metrics:
    """Train unless somebody else did meanwhile, and tidy up."""
    with _lock(run) as waited:
        _remove(run.folder.torn())
        # Asked again under the lock: the process that held it until now may have finished this very run.
        done = run.folder.metrics.exists()
        metrics = reading.read(run.folder.metrics, Metrics) if done else _train(run, waited)
        _remove(run.folder.leftovers())
    return metrics


def _train(run: Run, waited: float) -> Metrics:
    """Take a GPU if there is one, then train. The run's lock is held."""
    if run.cell.device != "cpu" and (cards := gpus.visible()):
        waited += gpus.lease(cards, name=run.cell.name).waited
    from harness.run import manifest, session  # imports torch, and must come after the lease

    with manifest.attempt(run) as outcome:
        metrics = session.train(run, waited)
        outcome.text = metrics.status
    return metrics


@contextmanager
def _lock(run: Run) -> Iterator[float]:
    """Hold the run's lock, waiting while another process works on the same cell; gives the seconds waited."""
    lock = FileLock(run.folder.lock)
    start = time.monotonic()
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(f"{run.cell.name}: another process works on this cell; waiting for it", flush=True)  # noqa: T201 - it waits, and has no other voice
        lock.acquire()
    try:
        yield time.monotonic() - start
    finally:
        lock.release()


def _remove(files: Iterable[Path]) -> None:
    """Remove files of a run whose lock is held."""
    for file in files:
        file.unlink()
