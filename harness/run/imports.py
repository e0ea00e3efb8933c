"""All code that a key stands for, imported before the key is confirmed: then nothing newer than the key can run.

A module that is imported inside a function would otherwise be read when the function first runs, hours later, and as it
is then. What was imported is not read again, so that a file may be edited while its cells run.
"""

from __future__ import annotations

import importlib
from pathlib import PurePosixPath

from harness import ROOT, networks
from harness.grid import keys
from harness.grid.cell import Cell
from methods.base import outside


def complete(cell: Cell) -> None:
    """Import every module that the cell's key stands for; its method and networks were built before."""
    for file in map(PurePosixPath, keys.sources(cell)):
        if not file.is_absolute() and (ROOT / file).is_file():
            importlib.import_module(".".join(file.with_suffix("").parts).removesuffix(".__init__"))
    for start in cell.outside.values():
        outside.complete(start)
    for network in (cell.teacher_network, cell.student_network):
        outside.complete(networks.source(network))
