"""Keys: what a result depends on, as a hash. Computed without torch, known before any training.

Plan key = the cell's configuration + the code of its method, its networks and its dataset, and of what of ours they
import + the dataset's files + ``NUMBERS``. Cell key = plan key + the teacher's identity. `harness/code.py` says what of
a file is code. Of files outside the bench content counts, and never where they lie: code, what it imports from its own
folder, and files in options.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

import methods
from harness import code, networks
from harness.data import identity
from harness.data.own import OwnData
from harness.grid import files
from harness.grid.cell import Cell
from harness.store.records import to_json
from methods.base import files as contents

NUMBERS = 4
"""Raise this when a change outside methods/, networks and datasets moves results: every cell then gets a new key."""
SCHEME = 4
"""Raise this when keys are computed in another way: what is older is then stale for that alone."""
PACKAGES = ("methods", "harness.networks")
"""Imports of modules below these are followed; what else of harness/ decides numbers stands behind `NUMBERS`."""
NOT_IN_KEY = (
    *("device", "graphs", "sharing", "checkpoint_seconds", "outside", "places"),
    *("teacher_network", "student_network", "own"),
)
"""Fields of a cell that do not change what is computed, or that its pair, its sources and its data say already."""
FINDERS = {"method": methods.source, "teacher": networks.source, "student": networks.source}
"""What a cell names -> where the bench has it."""
LENGTH = 16
"""Hexadecimal digits of a key: 64 bits, no collision to fear among millions of cells."""


def plan_key(cell: Cell) -> str:
    """Key of everything that is known before the teacher is trained."""
    # Everything a cell has counts unless it is named as harmless: a field that is added later cannot be forgotten here.
    config = {name: value for name, value in vars(cell).items() if name not in NOT_IN_KEY}
    versions: dict[str, object] = {"numbers": NUMBERS, "scheme": SCHEME}
    versions |= networks.version(cell.teacher_network) | networks.version(cell.student_network)
    plain = {"pair": cell.pair.folder, **files.plain({"budget": cell.budget.options, "options": cell.options})}
    return _digest({"cell": config | plain, "sources": sources(cell), "data": data(cell), **versions})


def cell_key(plan: str, teacher: str) -> str:
    """Key of a result, from its plan key and its teacher's identity; names the folder of its run."""
    return _digest([plan, teacher])


def sources(cell: Cell) -> dict[str, str]:
    """File -> hash of its code, for every file whose change would change the cell's numbers."""
    named = {"method": cell.method, "teacher": cell.teacher_network, "student": cell.student_network}
    return dict(_sources(tuple(named.items()), tuple(cell.outside.items()), cell.data))


def outside(cell: Cell) -> dict[str, Path]:
    """Files of code outside the bench that a cell is made with: name in its run's folder -> where it lies."""
    return _outside(cell.outside.items())


def data(cell: Cell) -> str | None:
    """Hash of the dataset's files; empty where its code says what is in them, None where they are not here."""
    return identity.contents(cell.data, cell.verify)


@functools.cache
def _sources(
    named: Iterable[tuple[str, str]], outside: Iterable[tuple[str, Path]], dataset: str | OwnData
) -> dict[str, str]:
    away = dict(outside)
    # What makes a network of one's own file of it is ours; a method's file is all there is of it.
    ours = [FINDERS[role](name) for role, name in named if role != "method" or role not in away]
    starts = [*away.values(), *ours]
    found = {file for start in starts for file in code.closure(start, PACKAGES) if code.is_ours(file)}
    theirs = {name: code.read(file).sha256 for name, file in _outside(outside).items()}
    return code.hashes(found | identity.sources(dataset)) | theirs


def _outside(starts: Iterable[tuple[str, Path]]) -> dict[str, Path]:
    # Names are the same wherever the files lie; what each is for keeps apart two of one name.
    return {
        f"{role}/{file.relative_to(start.parent).as_posix()}": file
        for role, start in starts
        for file in sorted(code.closure(start, PACKAGES))
        if not code.is_ours(file)
    }


def forget() -> None:
    """Read all files again when a key is asked for next."""
    code.forget()
    identity.forget()
    contents.forget()
    _sources.cache_clear()


def _digest(value: object) -> str:
    return hashlib.sha256(to_json(value).encode()).hexdigest()[:LENGTH]
