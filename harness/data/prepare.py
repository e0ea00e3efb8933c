"""Brings a dataset's files into place: `dkd prepare NAME`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from harness import data
from harness.data import catalogue, cifar, identity, nyuv2, own_copy
from harness.data.own import OwnData
from harness.errors import UserError
from harness.store.atomic import write_with
from harness.terminal import say
from methods.base.task import IGNORED

TO_13 = (
    *(12, 5, 6, 1, 4, 9, 10, 12, 13, 6),  # wall floor cabinet bed chair sofa table door window bookshelf
    *(8, 6, 13, 10, 6, 13, 6, 7, 7, 5),  # picture counter blinds desk shelves curtain dresser pillow mirror floor-mat
    *(7, 3, 2, 6, 11, 7, 7, 7, 7, 7),  # clothes ceiling books fridge television paper towel shower-curtain box board
    *(7, 6, 7, 7, 7, 7, 7, 7, 6, 7),  # person night-stand toilet sink lamp bathtub bag structure furniture prop
)
"""Class of 40 (S. Gupta et al., CVPR 2013), from 1, to class of 13 (C. Couprie et al., 2013), from 1: bed, books,
ceiling, chair, floor, furniture, objects, picture, sofa, table, tv, wall, window; the last three of 40 are "other"."""
EXTRA = "pip install 'dkd-bench[nyuv2]'"
EVERY = 50
"""Images between two lines of progress."""


@dataclass(frozen=True)
class Sources:
    """The official files of NYUv2."""

    labelled: Path
    """nyu_depth_v2_labeled.mat, MATLAB 7.3: images, and labels of 894 classes."""
    splits: Path
    """splits.mat of the same page: which images train and which test."""
    classes: Path
    """classMapping40.mat of S. Gupta: the 894 classes' numbers among 40."""


def prepare(dataset: str | OwnData, sources: Sources | None = None, report: Callable[[str], object] = say) -> None:
    """Download CIFAR, or make NYUv2's folder from its official files; check what is there; go on where it was stopped.

    One's own images are looked at, and what will be made of them is told.

    Args:
        dataset: its name, or the description of one's own images.
        sources: NYUv2's files; None writes the checksums of a folder that is complete.
        report: takes lines for the person.

    Raises UserError if something is missing, damaged or cannot be fetched.
    """
    if isinstance(dataset, OwnData):
        _look_at(dataset, report)
        return
    name, folder = dataset, data.folder()
    if (whole := name.removesuffix("-tuning")) in cifar.DATASETS:
        cifar.download(whole, folder)
    elif name == "nyuv2":
        if sources is not None:
            _nyuv2(sources, folder / nyuv2.FOLDER, report)
        if sources is not None or not (folder / nyuv2.FOLDER / nyuv2.MANIFEST).exists():
            nyuv2.write_manifest(folder)
    loaded = data.load(name)
    loaded.require()
    where = f" in {folder.resolve()}" if catalogue.places(name) else "; its images come with the bench"
    report(f"{name}: complete{' and verified' if loaded.verified else ''}{where}")


def _look_at(own: OwnData, report: Callable[[str], object]) -> None:
    """Tell what a description makes of one's own images."""
    loaded, found = data.load(own), own_copy.read(own)
    task, tested = loaded.task, int(found.test.sum())
    for note in loaded.notes:
        report(f"{own}: {note}")
    for label, name in enumerate(task.class_names):
        mine = found.test[found.labels == label]
        report(f"{own}: {name}: {(~mine).sum():,} to train, {mine.sum():,} to test")
    channels, height, width = task.shape
    report(
        f"{own}: {task.reference_size:,} + {tested:,} images of {height} × {width}, "
        f"{'RGB' if channels == 3 else 'grey'}; mean {list(task.mean)}, std {list(task.std)}, pad {task.pad}, "
        f"flip {str(task.flip).lower()}; teachers: {loaded.teachers.recipe.steps:,} steps; "
        f"known by your hash {(identity.contents(own, verify=True) or '')[:12]}"
    )


def _nyuv2(sources: Sources, folder: Path, report: Callable[[str], object]) -> None:
    """Write all images and labels that are not there yet, or are not those of the official file."""
    to_13 = _classes(sources.classes)
    parts = _parts(sources.splits)
    with _open(sources.labelled) as file:
        for done, (number, part) in enumerate(sorted(parts.items()), start=1):
            image, label = (folder / part / kind / f"{number:04d}.png" for kind in ("image", "label13"))
            pixels, classes = _sample(file, number, sources.labelled)
            _save(image, pixels)
            _save(label, to_13[classes])
            if done % EVERY == 0 or done == len(parts):
                report(f"nyuv2: {done}/{len(parts)} images")


def _sample(file: Any, number: int, source: Path) -> tuple[np.ndarray, np.ndarray]:
    """Pixels [H, W, 3] and labels [H, W], 0 unlabelled, of image ``number``, from 1. MATLAB stores W before H."""
    try:
        pixels, labels = file["images"][number - 1], file["labels"][number - 1]
    except (KeyError, IndexError, ValueError) as error:
        raise UserError(f"{source}: image {number} cannot be read: {error}") from None
    return np.ascontiguousarray(pixels.transpose(2, 1, 0)), np.ascontiguousarray(labels.T)


def _save(path: Path, pixels: np.ndarray) -> None:
    """Write a picture, unless it is there already."""
    if not _holds(path, pixels):
        write_with(path, lambda file: Image.fromarray(pixels).save(file, format="PNG"))


def _holds(path: Path, pixels: np.ndarray) -> bool:
    try:
        with Image.open(path) as image:
            return np.array_equal(np.asarray(image), pixels)
    except (OSError, SyntaxError):  # not there, or cut: Pillow raises both
        return False


def _classes(path: Path) -> np.ndarray:
    """Label of 894, 0 unlabelled, to 0 … 12 and 255: uint8 [895]."""
    to_40 = _matlab(path, "mapClass").ravel().astype(np.int64)
    if to_40.min() < 1 or to_40.max() > len(TO_13):
        raise UserError(f"{path}: mapClass goes from {to_40.min()} to {to_40.max()}, expected 1 to {len(TO_13)}")
    known = np.array(TO_13)[to_40 - 1] - 1
    return np.concatenate([[IGNORED], known]).astype(np.uint8)


def _parts(path: Path) -> dict[int, str]:
    """Number of an image, from 1, to ``train`` or ``test``."""
    numbers = {part: _matlab(path, f"{part}Ndxs").ravel().tolist() for part in nyuv2.COUNTS}
    for part, count in nyuv2.COUNTS.items():
        if len(set(numbers[part])) != count:
            raise UserError(f"{path}: {len(set(numbers[part]))} {part} images, expected {count}")
    return {int(number): part for part, listed in numbers.items() for number in listed}


def _matlab(path: Path, name: str) -> np.ndarray:
    """An array of a MATLAB file older than 7.3."""
    from scipy.io import loadmat

    try:
        return np.asarray(loadmat(path)[name])
    except Exception as error:  # noqa: BLE001 - scipy raises many types for a file it does not understand
        raise UserError(f"{path}: no array {name} can be read: {error}") from None


def _open(path: Path) -> Any:
    """A MATLAB 7.3 file, which is HDF5."""
    try:
        import h5py
    except ImportError:
        raise UserError(f"this needs h5py: {EXTRA}") from None
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error}") from None
