"""Which data a dataset gives: the code that reads them, and the files that it reads. Told without importing either."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from harness import code
from harness.data import catalogue, class_folders, remembered
from harness.data.own import OwnData
from harness.errors import UserError
from harness.store.bounds import BY_HASH, Verified
from harness.store.records import TeacherRecord

PACKAGES = ("harness.data", "methods")
"""Imports of modules below these are followed."""
HARMLESS = {catalogue.FOLDER / name for name in ("catalogue.py", "files.py", "own.py", "recipe.py")}
"""Modules that datasets import and that change no number: two find and check; every value of `own.py` is in
the identity too, the recipe in every teacher's record."""
OWN = catalogue.FOLDER / "own_dataset.py"
"""What makes a dataset of one's own images."""


def sources(dataset: str | OwnData) -> frozenset[Path]:
    """The file that reads a dataset, and the modules of ours behind it."""
    reader = OWN if isinstance(dataset, OwnData) else catalogue.source(dataset)
    return code.closure(reader, PACKAGES) - HARMLESS


def verified(dataset: str | OwnData, verify: bool) -> Verified:
    """What records say of a dataset whose official checksums, if there are some, are asked for or not."""
    return BY_HASH if isinstance(dataset, OwnData) else verify and catalogue.official(dataset)


def of(dataset: str | OwnData, verified: Verified) -> str | None:
    """Identity of a dataset, for teachers; None where its files are not here.

    Args:
        dataset: its name, or the description of one's own images.
        verified: whether files without their official checksums are refused.
    """
    files = contents(dataset, bool(verified))
    reader = code.hashes(file for file in sources(dataset) if file.parent == catalogue.FOLDER)
    return None if files is None else remembered.hashed([reader, files])


def outdated(teacher: TeacherRecord, own: OwnData | None = None) -> str | None:
    """Why a teacher's data are not those of today; None if they are, or are not here to be compared.

    Args:
        teacher: the record.
        own: one's own images that it is to have learned from; those that it did learn from if None.
    """
    if teacher.data is None:
        return "made by an earlier version, which did not note what data a teacher learns from"
    dataset = own or described(teacher)
    known = isinstance(dataset, OwnData) or dataset in catalogue.names()
    if not known or of(dataset, teacher.data_verified) in (None, teacher.data):
        return None
    if isinstance(dataset, OwnData):
        return f"it learned from other data: the images of {dataset}, or what is said of them, changed since"
    reader = catalogue.source(dataset).name
    return f"it learned from other data: {reader} or the files of {dataset} changed since"


def described(teacher: TeacherRecord) -> str | OwnData:
    """What a teacher learned from, as `data.load` takes it. Raises UserError for a description that is none."""
    if teacher.own is None:
        return teacher.dataset
    try:
        return OwnData.model_validate(teacher.own)
    except ValidationError:
        raise UserError(f"teacher {teacher.dataset}/{teacher.network}: its record describes no images") from None


def contents(dataset: str | OwnData, verify: bool) -> str | None:
    """Hash of all files of a dataset, empty where its code says what is in them; None where they are not here.

    Args:
        dataset: its name, or the description of one's own images, all of which but their place is in the hash.
        verify: whether official checksums, if there are some, will be asked for.
    """
    if isinstance(dataset, OwnData):
        return _own_contents(dataset)
    return "" if verify and catalogue.official(dataset) else _contents(dataset, catalogue.folder())


def forget() -> None:
    """Look at all files again when they are asked for next."""
    _contents.cache_clear()
    _own_contents.cache_clear()


@functools.cache
def _contents(name: str, folder: Path) -> str | None:
    if not (listed := catalogue.places(name)):
        return ""
    files = sorted(file for place in listed for file in _files(folder / place))
    return remembered.digest(folder / f".{name}.sha256", folder, files) if files else None


@functools.cache
def _own_contents(own: OwnData) -> str | None:
    """Of the images by part and class, so that names of files do not count; None where they cannot be read."""
    note, files = catalogue.folder() / ".cache" / f"{own}.sha256", [own.place]
    kinds: dict[str, list[str]] = {}
    if own.folder:
        pictures = class_folders.pictures(own.place, own.trained)
        files = [picture.path for picture in pictures]
        kinds = {picture.path.relative_to(own.place).as_posix(): [picture.part, picture.label] for picture in pictures}

    def without_names(sums: dict[str, str]) -> list[list[str]]:
        return sorted([*kinds.get(name, []), digest] for name, digest in sums.items())

    try:
        found = remembered.digest(note, own.place if own.folder else own.place.parent, files, without_names)
    except OSError:
        return None
    return remembered.hashed([own.rule, found]) if files else None


def _files(place: Path) -> Iterator[Path]:
    """A file, or all files of a folder; hidden ones are the system's, or our own notes."""
    if place.is_file():
        yield place
    for parent, _, names in os.walk(place, followlinks=True):
        yield from (Path(parent) / name for name in names if not name.startswith("."))
