"""What a submission consists of: its files, how large each may be, and the list of their sha256.

A submission is a results folder that holds records alone: of every cell its current run, and of every teacher how good
it is. Weights stay where they were made.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from harness.errors import UserError
from harness.store import files
from harness.store.checksums import sha256
from harness.store.layout import Results, words_of

RECORD = 2**20
"""Bytes of a text, at most; a manifest has 7 KB, 200 evaluations 200 KB. Our choice."""
SHEET = 4 * 2**20
"""Bytes of a sheet of samples, at most. Our choice."""
ALL = 100 * 2**20
"""Bytes of a submission, at most: a repository keeps them for ever. Our choice."""
WEIGHTS = (".safetensors", ".pt", ".pth", ".ckpt", ".bin", ".npz", ".npy")
"""Endings of files that hold tensors."""


def expected(folder: Results) -> dict[Path, int]:
    """Every file that may be in a submission -> bytes that it may have; a cell's result behind all that it needs."""
    found = {folder.sums: RECORD}
    for cell in folder.cells():
        found |= {folder.planned(cell.name.study): RECORD}
        for run in cell.runs():
            found |= {file: RECORD for file in run.outside("").rglob("*.py")}
            found |= {file: SHEET if file == run.samples else RECORD for file in run.told}
        found[cell.metrics] = RECORD
    return found | {teacher.record: RECORD for teacher in folder.teachers()}


def strange(folder: Results) -> Iterator[str]:
    """What is in a submission and does not belong there, or is too large."""
    allowed, size = expected(folder), 0
    for path in sorted(folder.path.rglob("*")):
        name = path.relative_to(folder.path)
        if not str(name).isprintable():  # a line break would make two lines of one in the list
            yield f"{str(name)!r}: a name that cannot be shown"
        elif path.is_symlink() or not (path.is_dir() or path.is_file()):
            yield f"{name}: neither a file nor a folder"
        elif path.is_dir():
            continue
        elif path.suffix in WEIGHTS:
            yield f"{name}: weights do not belong into a submission"
        elif path not in allowed:
            yield f"{name}: not a file of a submission"
        elif (bytes_ := path.stat().st_size) > allowed[path]:
            yield f"{name}: has {bytes_ / 2**20:.1f} MiB, at most {allowed[path] / 2**20:.0f} may be"
        else:
            size += bytes_
    if size > ALL:
        yield f"{folder.path}: has {size / 2**20:.0f} MiB in all, at most {ALL / 2**20:.0f} may be"


def digests(folder: Results) -> dict[str, str]:
    """Path -> sha256 of every file of a submission but the list of them, sorted by path."""
    return _digests(folder.path, (file for file in expected(folder) if file.is_file() and file != folder.sums))


def sums(folder: Results) -> str:
    """The list of a submission's files."""
    return _lines(digests(folder))


def listed(folder: Path, there: Iterable[Path]) -> str:
    """Sha256 and path from ``folder`` of every file, a line each, sorted by path."""
    return _lines(_digests(folder, there))


def otherwise(folder: Results) -> Iterator[str]:
    """What the list in a submission says otherwise than its files."""
    if not folder.sums.is_file():
        yield f"{folder.sums.name} is missing: `dkd submit` writes it"
        return
    listed, found = read(folder.sums), digests(folder)
    for name in sorted(listed.keys() | found.keys()):
        if name not in found:
            yield f"{name}: is missing, though {folder.sums.name} lists it"
        elif name not in listed:
            yield f"{name}: is not in {folder.sums.name}"
        elif listed[name] != found[name]:
            yield f"{name}: was changed: sha256 is {found[name]}, {folder.sums.name} says {listed[name]}"


def read(path: Path) -> dict[str, str]:
    """Path -> sha256, as a list says. Raises UserError if it is none, or if it names what lies elsewhere."""
    try:
        return _parsed(files.content(path).decode(errors="replace"))
    except ValueError as error:
        raise UserError(f"{path}: not a list of sha256: {error}") from None


def inside(name: str) -> bool:
    """Whether the path of a file, from a folder, stays inside that."""
    return not Path(name).is_absolute() and ".." not in words_of(name)


def _digests(folder: Path, there: Iterable[Path]) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): sha256(file) for file in sorted(there)}


def _lines(digests: Mapping[str, str]) -> str:
    return "".join(f"{digest}  {name}\n" for name, digest in digests.items())


def _parsed(text: str) -> dict[str, str]:
    """Path -> sha256. Raises ValueError for a line that is none of such a list."""
    lines = [(re.fullmatch(r"([0-9a-f]{64}) [ *](.+)", line), line) for line in text.splitlines()]
    if wrong := next((line for found, line in lines if not found or not inside(found[2])), None):
        raise ValueError(f"{wrong!r:.200}")
    return {found[2]: found[1] for found, _ in lines if found}
