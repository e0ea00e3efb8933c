"""Keys: what a result depends on, as a hash. Computed without torch, known before any training.

Plan key = the cell's configuration + the code of its method, its networks and its dataset, and of what of ours they
import + the dataset's files + ``NUMBERS``. Cell key = plan key + the teacher's identity. `harness/code.py` says what of
a file is code.
"""

from __future__ import annotations

import functools
import hashlib

import methods
from harness import code, networks
from harness.data import identity
from harness.data.own import OwnData
from harness.grid.cell import Cell
from harness.store.records import to_json

NUMBERS = 3
"""Raise this when a change outside methods/, networks and datasets moves results: every cell then gets a new key."""
SCHEME = 2
"""Raise this when keys are computed in another way: what is older is then stale for that alone."""
PACKAGES = ("methods", "harness.networks")
"""Imports of modules below these are followed; what else of harness/ decides numbers stands behind `NUMBERS`."""
NOT_IN_KEY = ("device", "checkpoint_seconds", "places", "teacher_network", "student_network", "own")
"""Fields of a cell that do not change what is computed, or that its pair, its sources and its data say already."""
LENGTH = 16
"""Hexadecimal digits of a key: 64 bits, no collision to fear among millions of cells."""


def plan_key(cell: Cell) -> str:
    """Key of everything that is known before the teacher is trained."""
    # Everything a cell has counts unless it is named as harmless: a field that is added later cannot be forgotten here.
    config = {name: value for name, value in vars(cell).items() if name not in NOT_IN_KEY}
    versions = {"numbers": NUMBERS, "scheme": SCHEME}
    plain = {"pair": cell.pair.folder, "budget": cell.budget.options, "options": dict(cell.options)}
    return _digest({"cell": config | plain, "sources": sources(cell), "data": files(cell), **versions})


def cell_key(plan: str, teacher: str) -> str:
    """Key of a result, from its plan key and its teacher's identity; names the folder of its run."""
    return _digest([plan, teacher])


def sources(cell: Cell) -> dict[str, str]:
    """File -> hash of its code, for every file whose change would change the cell's numbers."""
    return dict(_sources(cell.method, cell.data, cell.teacher_network, cell.student_network))


def files(cell: Cell) -> str | None:
    """Hash of the dataset's files; empty where its code says what is in them, None where they are not here."""
    return identity.contents(cell.data, cell.verify)


@functools.cache
def _sources(method: str, dataset: str | OwnData, *pair: str) -> dict[str, str]:
    starts = [methods.source(method), *(networks.source(network) for network in pair)]
    found = {file for start in starts for file in code.closure(start, PACKAGES)}
    return code.hashes(found | identity.sources(dataset))


def forget() -> None:
    """Read all files again when a key is asked for next."""
    code.forget()
    identity.forget()
    _sources.cache_clear()


def _digest(value: object) -> str:
    return hashlib.sha256(to_json(value).encode()).hexdigest()[:LENGTH]
