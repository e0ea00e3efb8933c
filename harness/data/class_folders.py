"""A folder of class folders: which files are pictures, and of which class and part. No picture is opened."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.data import tiny_imagenet
from harness.errors import UserError, one_line

PARTS = ("train", "test")
VAL = "val"
"""Where ImageNet and Tiny-ImageNet have the images to test on; those of their ``test`` bear no labels."""
VALPREP = "for ImageNet's val there is a script: valprep.sh of github.com/soumith/imagenetloader.torch"
SYSTEM = ("thumbs.db", "desktop.ini", "__macosx")
"""What systems leave in folders, beside files and folders whose names begin with a dot: neither is looked at."""
SHOWN = 3
"""Names or paths that an error lists, at most."""
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


def pictures(folder: Path, trained: bool = True) -> list[Picture]:
    """Every regular file below a class folder, links followed; empty if there is no such folder.

    Without ``trained`` those of the training part are left out.
    """
    return sorted(found for found in _below(_parts(folder, trained)) if found.path.is_file())


def classes(folder: Path, trained: bool = True) -> list[str]:
    """Names of all classes, in the order of their labels; empty if there is no such folder."""
    return sorted({label for part in _parts(folder, trained).values() for label in _classes(part)})


def check(folder: Path, trained: bool = True) -> None:
    """Raise UserError, with what is wanted, unless the folder has classes, and every class pictures in every part.

    Without ``trained`` a training part is neither wanted nor looked at.
    """
    if not folder.is_dir():
        kind = "a file; `npz: FILE` takes arrays" if folder.exists() else "no such folder"
        raise UserError(f"{folder}: {kind}\n  {LAYOUT}")
    if problem := _of_parts(folder, trained):
        raise UserError(f"{folder}: {problem}\n  {LAYOUT}")
    parts = _parts(folder, trained)
    found = list(_below(parts))
    if strange := [picture.path for picture in found if not picture.path.is_file()]:
        raise UserError(f"{folder}: neither files nor links to some: {some(strange, folder)}\n  {LAYOUT}")
    names = {part: set(_classes(place)) for part, place in parts.items()}
    everywhere = sorted(set[str]().union(*names.values()))
    if problem := _of_texts(parts) or _of_classes(everywhere) or _missing(names, found):
        raise UserError(f"{folder}: {problem}\n  {LAYOUT}")


def beside(folder: Path) -> list[Path]:
    """Files beside the class folders, which belong to no class and are not read."""
    places = {folder, *_parts(folder).values()}
    texts = {place / tiny_imagenet.ANNOTATIONS for place in places}
    return sorted(file for place in places for file in _files(place) if file not in texts)


def some(items: Iterable[object], folder: Path | None = None) -> str:
    """The first `SHOWN` of several names or paths, and how many more there are."""
    names = [str(item.relative_to(folder)) if folder and isinstance(item, Path) else str(item) for item in items]
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return one_line(", ".join(one_line(name, 100) for name in names[:SHOWN])) + more


def _below(parts: dict[str, Path]) -> Iterator[Picture]:
    for part, place in parts.items():
        for label, paths in _classes(place).items():
            yield from (Picture(part, label, path) for path in paths)


def _classes(part: Path) -> dict[str, Iterable[Path]]:
    """Class -> its files."""
    if tiny_imagenet.is_annotated(part):
        return {**tiny_imagenet.labelled(part)}
    return {label.name: _walk(label) for label in _folders(part)}


def _walk(folder: Path) -> Iterator[Path]:
    """All visible files below a folder; a folder that a link leads back into is entered once."""
    entered: set[str] = set()
    for parent, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(parent)
        folders[:] = [] if real in entered else [name for name in folders if _visible(name)]
        if real not in entered:
            boxes = tiny_imagenet.BOXES.format(folder.name)
            yield from (Path(parent) / name for name in files if _visible(name) and name != boxes)
        entered.add(real)


def _parts(folder: Path, trained: bool = True) -> dict[str, Path]:
    """Part -> its folder. A folder ``train`` that holds no folders is a class of trains."""
    said = _said(folder)
    if not trained:
        said.pop("train", None)
    return said or {"": folder}


def _said(folder: Path) -> dict[str, Path]:
    """The parts that are told apart; what is tested on may lie in ``val``."""
    test, val = folder / "test", folder / VAL
    tested = val if tiny_imagenet.is_annotated(val) or not _folders(test) else test
    return {part: place for part, place in zip(PARTS, (folder / "train", tested), strict=True) if _folders(place)}


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_file() and _visible(path.name)] if folder.is_dir() else []


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.is_dir() and _visible(path.name))


def _visible(name: str) -> bool:
    return not name.startswith(".") and name.casefold() not in SYSTEM


def _of_parts(folder: Path, trained: bool) -> str | None:
    parts = _said(folder)
    if "test" not in parts and ("train" in parts or not trained) and _files(folder / VAL):
        return f"{VAL}/ has files and no class folders; {VALPREP}"
    if not parts or (not trained and "test" in parts):
        return None
    others = [path.name for path in _folders(folder) if path.name not in (*PARTS, *(p.name for p in parts.values()))]
    if len(parts) < len(PARTS):
        there, gone = next(iter(parts.values())).name, next(part for part in PARTS if part not in parts)
        return f"there is {there}/ with class folders, but no {gone}/{f', only {some(others)}' if others else ''}"
    return f"beside train/ and test/ there is {some(others)}: move it away" if others else None


def _of_texts(parts: dict[str, Path]) -> str | None:
    for place in filter(tiny_imagenet.is_annotated, parts.values()):
        if unsaid := tiny_imagenet.unsaid(place):
            return f"{tiny_imagenet.ANNOTATIONS} does not say what these show: {some(unsaid, place)}"
    return None


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
