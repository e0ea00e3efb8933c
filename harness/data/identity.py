"""Which data a dataset gives: the code that reads them, and the files that it reads. Told without importing either."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness import code
from harness.data import catalogue
from harness.store.atomic import write_bytes
from harness.store.checksums import sha256
from harness.store.records import TeacherRecord, to_json

PACKAGES = ("harness.data", "methods")
"""Imports of modules below these are followed."""
HARMLESS = {catalogue.FOLDER / "files.py", catalogue.FOLDER / "recipe.py"}
"""Modules that datasets import and that change no number: the first checks, the second is in every teacher's record."""
SETTLED = 2.0
"""Seconds since the last change of a file after which a further change shows in its times, on any file system."""


def sources(name: str) -> frozenset[Path]:
    """The dataset's file and the modules of ours behind it."""
    return code.closure(catalogue.source(name), PACKAGES) - HARMLESS


def of(name: str, verified: bool) -> str | None:
    """Identity of a dataset, for teachers; None where its files are not here.

    Args:
        name: of the dataset.
        verified: whether files without their official checksums are refused.
    """
    files = contents(name, verified)
    reader = code.hashes(file for file in sources(name) if file.parent == catalogue.FOLDER)
    return None if files is None else _digest([reader, files])


def outdated(teacher: TeacherRecord) -> str | None:
    """Why a teacher's data are not those of today; None if they are, or are not here to be compared."""
    if teacher.data is None:
        return "made by an earlier version, which did not note what data a teacher learns from"
    known = teacher.dataset in catalogue.names()
    if not known or of(teacher.dataset, teacher.data_verified) in (None, teacher.data):
        return None
    reader = catalogue.source(teacher.dataset).name
    return f"it learned from other data: {reader} or the files of {teacher.dataset} changed since"


def contents(name: str, verify: bool) -> str | None:
    """Hash of all files of a dataset, empty where its code says what is in them; None where they are not here.

    Args:
        name: of the dataset.
        verify: whether official checksums, if there are some, will be asked for.
    """
    return "" if verify and catalogue.official(name) else _contents(name, catalogue.folder())


def forget() -> None:
    """Look at all files again when they are asked for next."""
    _contents.cache_clear()


@functools.cache
def _contents(name: str, folder: Path) -> str | None:
    if not (listed := catalogue.places(name)):
        return ""
    files = sorted(file for place in listed for file in _files(folder / place))
    return _remembered(folder / f".{name}.sha256", folder, files) if files else None


def _files(place: Path) -> Iterator[Path]:
    """A file, or all files of a folder; hidden ones are the system's, or our own notes."""
    if place.is_file():
        yield place
    for parent, _, names in os.walk(place, followlinks=True):
        yield from (Path(parent) / name for name in names if not name.startswith("."))


def _remembered(note: Path, folder: Path, files: Iterable[Path]) -> str:
    """The hash of the files' contents, which are read again only if one has another size or time than in the note."""
    looks = {file.relative_to(folder).as_posix(): file.stat() for file in files}
    seen = _digest([[name, look.st_size, look.st_mtime_ns, look.st_ctime_ns] for name, look in looks.items()])
    with contextlib.suppress(OSError, ValueError):
        known, found = note.read_text(encoding="utf-8").split()
        if known == seen:
            return found
    found = _digest({name: sha256(folder / name) for name in looks})
    if max(look.st_ctime for look in looks.values()) < time.time() - SETTLED:
        with contextlib.suppress(OSError):  # a folder that others look after: then it takes its time again
            write_bytes(note, f"{seen} {found}\n".encode())
    return found


def _digest(value: object) -> str:
    return hashlib.sha256(to_json(value).encode()).hexdigest()
