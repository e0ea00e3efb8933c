"""Copies of files of one's own in a run's folder, so that a record can be read, and run again, when they are gone."""

from __future__ import annotations

from pathlib import Path

from harness.grid import files, keys
from harness.grid.cell import Cell
from harness.run.run import Run
from harness.store import atomic
from harness.store.checksums import sha256

MOST = 16 * 2**20
"""Bytes of a file that is copied; a larger one is known by its sha256 alone."""


def keep(run: Run) -> dict[str, str]:
    """Copy the files into the run's folder. Returns place there -> sha256, also of those that are too large for it."""
    return {place: _kept(file, run.folder.outside(place)) for place, file in of(run.cell).items()}


def of(cell: Cell) -> dict[str, Path]:
    """Files of one's own that a cell is made with: place in its run's folder -> where they lie now."""
    options = files.named({**cell.budget.options, **cell.options})
    return keys.outside(cell) | {f"options/{place}": file for place, file in options.items()}


def _kept(file: Path, target: Path) -> str:
    if file.stat().st_size > MOST:
        return sha256(file)
    atomic.copy(file, target)
    return sha256(target)
