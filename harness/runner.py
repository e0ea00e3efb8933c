"""Runs one cell from whatever state it is in, and leaves its records behind.

Finished results are copied back without importing torch, which is imported only when there is something to train.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from harness import gpus, keys, records, storage
from harness.config import Cell
from harness.errors import UserError
from harness.records import Metrics, TeacherRecord

LEFTOVERS = ("checkpoint.pt", "progress.json", ".*.tmp")
"""Needed no longer once a run has metrics, or begun by a process that was killed while it wrote."""


@dataclass(frozen=True)
class Run:
    """A cell together with its key and its place on disk."""

    cell: Cell
    plan_key: str
    key: str
    teacher: TeacherRecord
    results: Path
    concurrent: int

    @property
    def cell_folder(self) -> Path:
        """Where the cell's metrics.json goes."""
        return self.results / self.cell.name

    @property
    def folder(self) -> Path:
        """Where everything of this key goes."""
        return self.cell_folder / "runs" / self.key


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
    run = _locate(cell, results, plan_key, concurrent)
    run.folder.mkdir(parents=True, exist_ok=True)
    finished = run.folder / "metrics.json"
    if not finished.exists() or any(list(run.folder.glob(pattern)) for pattern in LEFTOVERS):
        with _lock(run) as waited:
            _remove(run, ".*.tmp")
            if not finished.exists():
                _execute(run, waited)
            _remove(run, *LEFTOVERS)
    metrics = records.read(finished, Metrics)
    storage.copy(finished, run.cell_folder / "metrics.json")
    return metrics


def _remove(run: Run, *patterns: str) -> None:
    """Remove files of the run, whose lock is held."""
    for pattern in patterns:
        for file in run.folder.glob(pattern):
            file.unlink()


def _locate(cell: Cell, results: Path, plan_key: str | None, concurrent: int) -> Run:
    record_path = results / cell.teacher_folder / "teacher.json"
    if not record_path.exists():
        raise UserError(f"{record_path}: no teacher; train it: dkd train-teacher {cell.dataset} {cell.teacher}")
    teacher = records.read(record_path, TeacherRecord)
    plan = plan_key or keys.plan_key(cell)
    return Run(cell, plan, keys.cell_key(plan, teacher.sha256), teacher, results, concurrent)


@contextmanager
def _lock(run: Run) -> Iterator[float]:
    """Hold the run's lock, waiting while another process works on the same cell; gives the seconds waited."""
    lock = FileLock(run.folder / "lock")
    start = time.monotonic()
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(f"{run.cell.name}: another process works on this cell; waiting for it", flush=True)  # noqa: T201
        lock.acquire()
    try:
        yield time.monotonic() - start
    finally:
        lock.release()


def _execute(run: Run, waited: float) -> None:
    """Take a GPU if there is one, then train. The run's lock is held."""
    if run.cell.device != "cpu" and (cards := gpus.visible()):
        waited += gpus.lease(cards, name=run.cell.name).waited
    from harness import attempts, training  # imports torch, and must come after the lease

    with attempts.recorded(run) as attempt:
        attempt.outcome = training.train(run, waited).status
