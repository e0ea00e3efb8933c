"""CIFAR-10 of its test images alone: a machine without a network may have been given no more."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from harness import data
from harness.data.cifar import CIFAR10, PIXELS
from harness.store.atomic import write_bytes

IMAGES = 10_000
"""Of a file of the binary version."""


def folder(out: Path) -> Path:
    """Where runs find the data: the bench's folder, or one in ``out`` whose training images are noise.

    The latter where the bench's folder has CIFAR-10's binary test file without the others. Data-free methods see no
    image, and their teacher is there already; but a dataset counts only if it is whole.
    """
    given, made = data.folder() / CIFAR10.binary, out / "data" / CIFAR10.binary
    (test,) = CIFAR10.test
    if not (given / test).exists() or all((given / name).exists() for name in CIFAR10.train):
        return data.folder().resolve()
    if (made / test).exists():  # the last to be written
        return made.parent
    made.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    for name in CIFAR10.train:
        rows = random.integers(256, size=(IMAGES, CIFAR10.label_bytes + PIXELS), dtype=np.uint8)
        rows[:, 0] = np.arange(IMAGES) % len(CIFAR10.classes)
        write_bytes(made / name, rows.tobytes())
    write_bytes(made / test, (given / test).read_bytes())
    return made.parent
