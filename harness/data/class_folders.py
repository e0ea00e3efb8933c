"""A folder of class folders: which files are pictures, and of which class and part. No picture is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError, one_line

PARTS = ("train", "test")
SYSTEM = ("thumbs.db", "desktop.ini", "__macosx")
"""What systems leave in folders, beside files and folders whose names begin with a dot: neither is looked at."""
LONGEST = 80
"""Letters of a class's name, at most."""
LAYOUT = (
    "wanted: train/CLASS/picture.png and test/CLASS/picture.png, or CLASS/picture.png, of which a part is tested on\n"
    "  docs/bring-your-images.md has examples"
)


@dataclass(frozen=True, order=True)
class Picture:
    """A file below a class folder."""

    part: str
    """``train``, ``test``, or empty where nothing is said."""
    label: str
    """Name of the class folder."""
    path: Path


def pictures(folder: Path) -> list[Picture]:
    """Every regular file below a class folder, links followed; empty if there is no such folder."""
    return sorted(found for found in _below(folder) if found.path.is_file())


def check(folder: Path) -> None:
    """Raise UserError, with what is wanted, unless the folder has classes, and every class pictures in every part."""
    if not folder.is_dir():
        kind = "a file; `npz: FILE` takes arrays" if folder.exists() else "no such folder"
        raise UserError(f"{folder}: {kind}\n  {LAYOUT}")
    found = list(_below(folder))
    if strange := [picture.path for picture in found if not picture.path.is_file()]:
        raise UserError(f"{folder}: neither files nor links to some: {some(strange, folder)}\n  {LAYOUT}")
    parts = _parts(folder)
    classes = {part: {label.name for label in _folders(place)} for part, place in parts.items()}
    everywhere = sorted(set[str]().union(*classes.values()))
    if problem := _of_parts(folder, parts) or _of_classes(everywhere) or _missing(classes, found):
        raise UserError(f"{folder}: {problem}\n  {LAYOUT}")


def beside(folder: Path) -> list[Path]:
    """Files beside the class folders, which belong to no class and are not read."""
    places = {folder, *_parts(folder).values()}
    return sorted(file for place in places for file in place.iterdir() if file.is_file() and _visible(file.name))


def some(items: Iterable[object], folder: Path | None = None, most: int = 3) -> str:
    """The first few of several names or paths, and how many more there are."""
    names = [str(item.relative_to(folder)) if folder and isinstance(item, Path) else str(item) for item in items]
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return one_line(", ".join(one_line(name, 100) for name in names[:most])) + more


def _below(folder: Path) -> Iterator[Picture]:
    for part, place in _parts(folder).items():
        for label in _folders(place):
            yield from (Picture(part, label.name, path) for path in _walk(label))


def _walk(folder: Path) -> Iterator[Path]:
    """All visible files below a folder; a folder that a link leads back into is entered once."""
    entered: set[str] = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        folders[:] = [] if real in entered else [name for name in folders if _visible(name)]
        if real not in entered:
            yield from (Path(parent) / name for name in files if _visible(name))
        entered.add(real)


def _parts(folder: Path) -> dict[str, Path]:
    """Part -> its folder. A folder ``train`` that holds no folders is a class of trains."""
    said = {part: folder / part for part in PARTS if _folders(folder / part)}
    return said or {"": folder}


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and _visible(path.name))


def _visible(name: str) -> bool:
    return not name.startswith(".") and name.casefold() not in SYSTEM


def _of_parts(folder: Path, parts: dict[str, Path]) -> str | None:
    if "" in parts:
        return None
    others = [path.name for path in _folders(folder) if path.name not in PARTS]
    if len(parts) < len(PARTS):
        there, gone = sorted(parts)[0], next(part for part in PARTS if part not in parts)
        return f"there is {there}/ with class folders, but no {gone}/{f', only {some(others)}' if others else ''}"
    return f"beside train/ and test/ there is {some(others)}: move it away" if others else None


def _of_classes(names: list[str]) -> str | None:
    if len(names) < 2:
        return f"one class alone, {names[0]}: two or more are wanted" if names else "no class folders in it"
    odd = [name for name in names if not name.isprintable() or len(name) > LONGEST]
    return f"names of classes are at most {LONGEST} printable letters, not {some(odd)}" if odd else None


def _missing(classes: dict[str, set[str]], found: list[Picture]) -> str | None:
    """Classes of which a part has no folder, or no picture in it."""
    filled = {(picture.part, picture.label) for picture in found}
    everywhere = sorted(set[str]().union(*classes.values()))
    for part in classes:
        if lacking := [name for name in everywhere if name not in classes[part]]:
            return f"{part}/ lacks classes that the other part has: {some(lacking)}"
        if empty := [name for name in everywhere if (part, name) not in filled]:
            return f"no picture in {some(f'{part}/{name}'.strip('/') for name in empty)}"
    return None
