"""CIFAR-10 and CIFAR-100: 50,000 training and 10,000 test images of 32 × 32 pixels.

A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009. Both official editions are read: the
Python version, through torchvision, and the binary version. Mean and standard deviation are those of Fast-Datafree,
registry.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from harness.data import cifar_classes, files
from harness.data.dataset import Dataset
from harness.data.recipe import Recipe, Teachers
from harness.errors import UserError
from methods.base.task import RealImages, Task

FILES = {
    "cifar10": ["cifar-10-batches-py", "cifar-10-batches-bin"],
    "cifar100": ["cifar-100-python", "cifar-100-binary"],
}
OFFICIAL = ("cifar10", "cifar100")
PIXELS = 3 * 32 * 32
OFFLINE = "without a network, copy the unpacked Python or binary version into the folder data, or set DKD_DATA"
PICKLE = (
    "a pickle can execute code, so one that differs is never opened; without its folder, the binary version is read"
)
ACCEPT = "or accept it, `verify: false` in a study, --no-verify in a command: records and tables then say so"


@dataclass(frozen=True)
class Cifar:
    """One of the two datasets, and where its editions keep what."""

    name: str
    classes: tuple[str, ...]
    """Their names, label by label."""
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    torchvision: str
    """Class of torchvision.datasets that reads and downloads the Python version."""
    binary: str
    """Folder of the binary version."""
    train: Mapping[str, str] = field(hash=False)
    """File of the binary version -> SHA-1."""
    test: Mapping[str, str] = field(hash=False)
    label_bytes: int
    """Bytes in front of an image; the last of them is the label."""
    published: Mapping[str, float] = field(hash=False)
    """Teacher -> percent: README of Fast-Datafree."""


RECIPE = Recipe(epochs=200, batch=128, lr=0.1, weight_decay=5e-4)
"""The sources disagree. With CMI's weight decay of 1e-4 users did not reach the published teachers, so this is DAFL's
and DFAD's, with half a cosine. Our choice."""


CIFAR10 = Cifar(
    name="cifar10",
    classes=cifar_classes.CIFAR10,
    mean=(0.4914, 0.4822, 0.4465),
    std=(0.2023, 0.1994, 0.2010),
    torchvision="CIFAR10",
    binary="cifar-10-batches-bin",
    train={
        "data_batch_1.bin": "aadd24acce27caa71bf4b10992e9e7b2d74c2540",
        "data_batch_2.bin": "c0ba65cce70568cd57b4e03e9ac8d2a5367c1795",
        "data_batch_3.bin": "1dd00a74ab1d17a6e7d73e185b69dbf31242f295",
        "data_batch_4.bin": "aab85764eb3584312d3c7f65fd2fd016e36a258e",
        "data_batch_5.bin": "26e2849e66a845b7f1e4614ae70f4889ae604628",
    },
    test={"test_batch.bin": "67eb016db431130d61cd03c7ad570b013799c88c"},
    label_bytes=1,
    published={"resnet34": 95.70, "vgg11": 92.25, "wrn40_2": 94.87},
)
CIFAR100 = Cifar(
    name="cifar100",
    classes=cifar_classes.CIFAR100,
    mean=(0.5071, 0.4867, 0.4408),
    std=(0.2675, 0.2565, 0.2761),
    torchvision="CIFAR100",
    binary="cifar-100-binary",
    train={"train.bin": "e207cd2e05b73b1393c74c7f5e7bea451d63e08e"},
    test={"test.bin": "8fb6623e830365ff53cf14adec797474f5478006"},
    label_bytes=2,
    published={"resnet34": 78.05, "vgg11": 71.32, "wrn40_2": 75.83},
)


class Reader:
    """Reads a dataset from the edition that is there."""

    def __init__(self, cifar: Cifar, folder: Path, verify: bool) -> None:
        self.cifar, self.folder, self.verify = cifar, folder, verify
        self.remedy = f"`dkd prepare {cifar.name}` fetches it anew; DKD_DATA=DIR names a folder that has it"

    def read(self, train: bool) -> RealImages:
        """Images and labels of one part. Raises UserError if a file is missing or damaged."""
        images, labels = self._binary(train) if self.is_binary else self._python(train)
        return RealImages(torch.from_numpy(images), torch.from_numpy(labels.astype(np.int64)))

    def require(self) -> None:
        """Raise UserError unless all files are there, with the right checksums where these count."""
        for train in (True, False):
            self._check(train)

    @property
    def is_binary(self) -> bool:
        """Whether to read the binary version: if that is there and the Python version is not."""
        return (self.folder / self.cifar.binary).is_dir() and not (self.folder / self._edition.base_folder).is_dir()

    @property
    def place(self) -> Path:
        """Folder of the edition that is read."""
        return self.folder / (self.cifar.binary if self.is_binary else self._edition.base_folder)

    @property
    def _edition(self) -> Any:
        """The class that torchvision, which is slow to import, has for the Python version."""
        from torchvision import datasets

        return getattr(datasets, self.cifar.torchvision)

    def _check(self, train: bool) -> None:
        if self.is_binary:
            names = self.cifar.train if train else self.cifar.test
            files.check(self.place, names, "sha1", f"{self.remedy}\n  {ACCEPT}", self.verify)
            return
        edition = self._edition  # torchvision reads one part and wants all of them intact
        meta = (edition.meta["filename"], edition.meta["md5"])
        listed = [*edition.train_list, *edition.test_list, meta]
        files.check(self.place, dict(map(tuple, listed)), "md5", f"{self.remedy}\n  {PICKLE}")

    def _binary(self, train: bool) -> tuple[np.ndarray, np.ndarray]:
        self._check(train)
        paths = [self.place / name for name in (self.cifar.train if train else self.cifar.test)]
        rows = np.concatenate([self._rows(path) for path in paths])
        return rows[:, self.cifar.label_bytes :].reshape(-1, 3, 32, 32), rows[:, self.cifar.label_bytes - 1]

    def _rows(self, path: Path) -> np.ndarray:
        width = self.cifar.label_bytes + PIXELS
        content = np.fromfile(path, np.uint8)
        if not len(content) or len(content) % width:
            raise UserError(f"{path}: {len(content)} bytes are no images of {width} bytes each\n  {self.remedy}")
        return content.reshape(-1, width)

    def _python(self, train: bool) -> tuple[np.ndarray, np.ndarray]:
        self._check(train)
        loaded = self._edition(str(self.folder), train=train)
        return np.ascontiguousarray(loaded.data.transpose(0, 3, 1, 2)), np.array(loaded.targets)

    def download(self) -> None:
        """Fetch the Python version through torchvision, unless an intact edition is there. Raises UserError."""
        try:
            self.require()
        except UserError:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                self._edition(str(self.folder), download=True)
            except (OSError, RuntimeError) as error:
                raise UserError(f"{self.cifar.name} cannot be downloaded: {error}\n  {OFFLINE}") from None
            self.require()


def _dataset(cifar: Cifar, folder: Path, verify: bool) -> Dataset:
    task = Task(
        classes=len(cifar.classes),
        class_names=cifar.classes,
        shape=(3, 32, 32),
        mean=cifar.mean,
        std=cifar.std,
        pad=4,
        flip=True,
        reference_size=50_000,
    )
    reader = Reader(cifar, folder, verify)
    return Dataset(
        task,
        Teachers(RECIPE, cifar.published, below=0.5),
        train=partial(reader.read, True),
        test=partial(reader.read, False),
        require=reader.require,
    )


def download(name: str, folder: Path) -> None:
    """Fetch a dataset into ``folder``, unless it is there; check it. Raises UserError if it is damaged."""
    Reader({"cifar10": CIFAR10, "cifar100": CIFAR100}[name], folder, verify=True).download()


DATASETS = {"cifar10": partial(_dataset, CIFAR10), "cifar100": partial(_dataset, CIFAR100)}
