"""Images in an npz file of numpy: which arrays are wanted, and what is said where they are otherwise."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from harness.errors import UserError, one_line

Array = np.ndarray[Any, np.dtype[Any]]
WANTED = (
    "wanted: images uint8 [n, H, W], [n, H, W, C] or [n, C, H, W], labels of whole numbers [n] from 0; if you like, "
    "test_images and\n  test_labels, and class_names; np.savez(FILE, images=..., labels=...) writes it"
)
NAMES = ("images", "labels", "test_images", "test_labels", "class_names")


class _Unfit(Exception):
    """What is wrong with an array."""


@dataclass(frozen=True)
class Part:
    """Images and labels of one part."""

    images: Array
    """uint8 [n, H, W, C], C is 1 or 3."""
    labels: Array
    """int64 [n]."""


def read(path: Path) -> tuple[dict[str, Part], tuple[str, ...]]:
    """The parts, ``train`` and ``test`` or one without a name, and the classes' names. Raises UserError."""
    try:
        found = _arrays(path)
        parts = {part: _part(found, prefix) for part, prefix in _prefixes(found).items()}
        return parts, _class_names(found.get("class_names"), parts)
    except _Unfit as error:
        raise UserError(f"{path}: {error}\n  {WANTED}") from None


def _arrays(path: Path) -> Mapping[str, Array]:
    if not path.is_file():
        raise _Unfit("a folder; `folder: PATH` takes folders of classes" if path.is_dir() else "no such file")
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise _Unfit("a single array, not an npz file")
        with file:
            return {name: _plain(file, name) for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise _Unfit(f"no npz file that can be read: {one_line(str(error), 100)}") from None


def _plain(file: Any, name: str) -> Array:
    if name not in NAMES:
        raise _Unfit(f"an array {one_line(name, 40)}, which nothing asks for")
    try:
        array: Array = file[name]
    except ValueError:
        raise _Unfit(f"{name} cannot be read: damaged, or Python objects, which could run code") from None
    return array


def _prefixes(found: Mapping[str, Array]) -> dict[str, str]:
    tested = [name for name in ("test_images", "test_labels") if name in found]
    needed = ["images", "labels", *(("test_images", "test_labels") if tested else ())]
    if lacking := [name for name in needed if name not in found]:
        raise _Unfit(f"no array {' and no '.join(lacking)}; there is {', '.join(found) or 'nothing'}")
    return {"train": "", "test": "test_"} if tested else {"": ""}


def _part(found: Mapping[str, Array], prefix: str) -> Part:
    images, labels = found[f"{prefix}images"], found[f"{prefix}labels"]
    shaped = _channels_last(images, f"{prefix}images")
    if labels.ndim != 1 or not np.issubdtype(labels.dtype, np.integer):
        raise _Unfit(f"{prefix}labels are {_kind(labels)}")
    if not 0 < len(images) == len(labels):
        raise _Unfit(f"{len(images):,} {prefix}images, but {len(labels):,} {prefix}labels")
    return Part(shaped, labels.astype(np.int64))


def _channels_last(images: Array, name: str) -> Array:
    """As [n, H, W, C]. Raises _Unfit."""
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise _Unfit(f"{name} are {_kind(images)}")
    if images.ndim == 3:
        return images[..., None]
    if images.shape[3] in (1, 3):
        return images
    if images.shape[1] in (1, 3):
        return images.transpose(0, 2, 3, 1)
    raise _Unfit(f"{name} are {_kind(images)}: neither 1 nor 3 channels")


def _class_names(given: Array | None, parts: Mapping[str, Part]) -> tuple[str, ...]:
    """Given, or the labels as text."""
    lowest, highest = (int(pick([pick(part.labels) for part in parts.values()])) for pick in (min, max))
    if given is None:
        names = tuple(str(label) for label in range(highest + 1))
    elif given.ndim == 1 and given.dtype.kind == "U":
        names = tuple(map(str, given))
    else:
        raise _Unfit(f"class_names are {_kind(given)}, not texts [classes]")
    if lowest < 0 or highest >= len(names):
        raise _Unfit(f"labels from {lowest} to {highest}, but {len(names)} class names")
    for part, content in parts.items():
        counts = np.bincount(content.labels, minlength=len(names))
        if lacking := np.flatnonzero(counts == 0).tolist():
            where = f" in {'labels' if part != 'test' else 'test_labels'}"
            raise _Unfit(f"no image of class {lacking[0]}{where}, whose numbers go from {lowest} to {highest}")
    return names


def _kind(array: Array) -> str:
    return f"{array.dtype} of shape {list(array.shape)}"
