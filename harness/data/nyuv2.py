"""NYUv2 with 13 classes: 795 training and 654 test images of indoor scenes, every pixel labelled.

N. Silberman, D. Hoiem, P. Kohli, R. Fergus, "Indoor Segmentation and Support Inference from RGBD Images", ECCV 2012;
classes of C. Couprie et al., "Indoor Semantic Segmentation using depth information", 2013. Sizes and normalisation are
DFAD's: the short side is resized to 256, training sees windows of 128 × 128, testing whole images.

The folder, which `dkd prepare nyuv2` makes from the official file:

    nyuv2/{train,test}/image/NNNN.png       RGB
    nyuv2/{train,test}/label13/NNNN.png     8 bit: 0 to 12, 255 where a pixel does not count
    nyuv2/SHA256SUMS                        of all of these, as sha256sum writes it

NNNN counts from 0001 in the order of the official file. All images have one size; its short side is 256 or more.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from harness.data import files
from harness.data.dataset import Dataset
from harness.data.recipe import Recipe, Teachers
from harness.errors import UserError
from harness.store.atomic import write_bytes
from harness.store.checksums import sha256
from methods.base.task import IGNORED, RealImages, Task

FOLDER = "nyuv2"
MANIFEST = "SHA256SUMS"
KINDS = ("image", "label13")
COUNTS = {"train": 795, "test": 654}
NAMES = "bed books ceiling chair floor furniture objects picture sofa table tv wall window"
CLASSES = tuple(NAMES.split())
"""Names of the labels 0 to 12."""
SHORT_SIDE = 256
REMEDY = (
    "`dkd prepare nyuv2 --from nyu_depth_v2_labeled.mat --splits splits.mat --classes classMapping40.mat` makes the "
    "folder; without options it writes the SHA256SUMS of a complete one; DKD_DATA=DIR names another place"
)
TASK = Task(
    classes=len(CLASSES),
    class_names=CLASSES,
    shape=(3, 128, 128),
    mean=(0.5, 0.5, 0.5),
    std=(0.5, 0.5, 0.5),
    pad=16,
    flip=True,
    reference_size=16_000,
    dense=True,
)
"""The padding is our choice; the reference size is the number of synthetic images in SSD-KD's table 3."""

TEACHERS = Teachers(
    Recipe(epochs=200, batch=16, lr=0.05, weight_decay=5e-4, milestones=[99 / 200, 199 / 200], focal=2.0),
    published={"deeplabv3_resnet50": 51.7},
    below=3.0,
)
"""README and train_teacher.py of the DFAD repository; its mIoU, with an ImageNet backbone. The rate falls every
100 epochs, but the scheduler is stepped before an epoch, not after it: the 100th and the 200th are the first at a lower
one."""


def read(folder: Path, part: str, verify: bool) -> RealImages:
    """Images uint8 [n, 3, H, W] and labels uint8 [n, H, W] of ``train`` or ``test``, short side 256.

    Raises UserError if a file is missing, damaged or not what it should be.
    """
    require(folder, verify, (part,))
    names = _names(folder, part)
    images = _stack([_image(folder / FOLDER / part / "image" / name) for name in names], folder)
    labels = _stack([_labels(folder / FOLDER / part / "label13" / name) for name in names], folder)
    return RealImages(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(labels))


def require(folder: Path, verify: bool, parts: tuple[str, ...] = ("train", "test")) -> None:
    """Raise UserError unless all files are there, with the checksums of the manifest where these count."""
    for part in parts:
        count = len(_names(folder, part))
        if count != COUNTS[part]:
            raise UserError(f"{folder / FOLDER / part}: {count} labelled images, expected {COUNTS[part]}\n  {REMEDY}")
    if verify:
        sums = _manifest(folder)
        there = (f"{part}/{kind}/{name}" for part in parts for kind in KINDS for name in _names(folder, part))
        wanted = {name: sums.get(name, "a line in " + MANIFEST) for name in there}
        files.check(folder / FOLDER, wanted, "sha256", REMEDY)


def write_manifest(folder: Path) -> None:
    """Note the checksums of all images and labels. Raises UserError unless they are complete."""
    require(folder, verify=False)
    paths = sorted((folder / FOLDER).glob("*/*/*.png"))
    lines = [f"{sha256(path)}  {path.relative_to(folder / FOLDER).as_posix()}\n" for path in paths]
    write_bytes(folder / FOLDER / MANIFEST, "".join(lines).encode())


def _names(folder: Path, part: str) -> list[str]:
    """Files that are there as image and as label."""
    image, label = ({p.name for p in (folder / FOLDER / part / kind).glob("*.png")} for kind in KINDS)
    return sorted(image & label)


def _manifest(folder: Path) -> dict[str, str]:
    """File -> sha256. Raises UserError if there is no manifest."""
    path = folder / FOLDER / MANIFEST
    if not path.is_file():
        raise UserError(f"{path}: missing\n  {REMEDY}")
    lines = [line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    if wrong := [" ".join(line) for line in lines if len(line) != 2]:
        raise UserError(f"{path}: not a line of sha256sum: {wrong[0]}\n  {REMEDY}")
    return {name.removeprefix("*").removeprefix("./"): digest for digest, name in lines}


def _image(path: Path) -> np.ndarray:
    """RGB, short side 256: uint8 [H, W, 3]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize(_size(image, path), Image.Resampling.BILINEAR))


def _labels(path: Path) -> np.ndarray:
    """Classes, resized to the nearest pixel: uint8 [H, W]."""
    with Image.open(path) as image:
        labels = np.asarray(image.resize(_size(image, path), Image.Resampling.NEAREST))
    wrong = labels[(labels >= len(CLASSES)) & (labels != IGNORED)]
    if labels.ndim != 2 or labels.dtype != np.uint8 or len(wrong):
        found = f"label {wrong[0]}" if len(wrong) else f"{labels.dtype} of shape {labels.shape}"
        raise UserError(f"{path}: {found}, expected 8 bit, 0 to {len(CLASSES) - 1} or {IGNORED}\n  {REMEDY}")
    return labels


def _size(image: Image.Image, path: Path) -> tuple[int, int]:
    """Width and height when the short side is 256, rounded down as torchvision's Resize does."""
    width, height = image.size
    if (short := min(width, height)) < SHORT_SIDE:
        raise UserError(f"{path}: {width} × {height} pixels, the short side must have {SHORT_SIDE} or more\n  {REMEDY}")
    return int(SHORT_SIDE * width / short), int(SHORT_SIDE * height / short)


def _stack(arrays: list[np.ndarray], folder: Path) -> np.ndarray:
    shapes = {array.shape for array in arrays}
    if len(shapes) != 1:
        raise UserError(f"{folder / FOLDER}: images of several sizes: {sorted(shapes)[:3]}\n  {REMEDY}")
    return np.stack(arrays)


def _dataset(folder: Path, verify: bool) -> Dataset:
    return Dataset(
        TASK,
        TEACHERS,
        train=partial(read, folder, "train", verify),
        test=partial(read, folder, "test", verify),
        require=partial(require, folder, verify),
    )


DATASETS = {"nyuv2": _dataset}
