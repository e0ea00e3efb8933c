"""The run folders under results/: where they are, which one is a cell's current result, who is working in one."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator
from pathlib import Path

from harness import provenance, records
from harness.records import DamagedRecord, Manifest, Metrics, Progress

FRESH = 60.0
"""Seconds after which progress.json of another machine no longer proves that its process lives."""


def cells(results: Path) -> Iterator[Path]:
    """The folder of every cell under ``results``, in name order."""
    yield from sorted(path for path in results.glob("*/*/*--*/*/scale-*/seed-*") if path.is_dir())


def of_cell(cell: Path) -> list[Path]:
    """The folders ``runs/<key>`` of one cell's folder, in name order."""
    folder = cell / "runs"
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def current_key(cell: Path) -> str | None:
    """Key of the run that the cell's ``metrics.json`` is a copy of; None if there is none or it is damaged."""
    try:
        return records.read(cell / "metrics.json", Metrics).key
    except (FileNotFoundError, DamagedRecord):
        return None


def progress(run: Path) -> Progress | None:
    """How far an unfinished run is, as far as it can be told."""
    try:
        return records.read(run / "progress.json", Progress)
    except (FileNotFoundError, DamagedRecord):
        return None


def size(run: Path) -> int:
    """Bytes of all files in a run's folder."""
    return sum(path.stat().st_size for path in run.rglob("*") if path.is_file())


def working(run: Path) -> bool:
    """Whether a process is working in the folder ``run``.

    It holds the lock; or, on another machine, whose locks may not reach this one, it wrote its progress lately.
    """
    return _locked(run / "lock") or (_elsewhere(run) and _fresh(run))


def _locked(lock: Path) -> bool:
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _fresh(run: Path) -> bool:
    latest = progress(run)
    return latest is not None and time.time() - latest.time < FRESH


def _elsewhere(run: Path) -> bool:
    try:
        attempts = records.read(run / "manifest.json", Manifest).attempts
    except (FileNotFoundError, DamagedRecord):
        return False
    return bool(attempts) and attempts[-1].host != provenance.host()
