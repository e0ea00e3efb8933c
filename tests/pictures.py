"""Folders of small drawn pictures: three classes that a tiny network tells apart within seconds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

CLASSES = ("bar", "dot", "frame")


def pixels(label: str, number: int, size: int = 8) -> np.ndarray:
    """One picture of a class, unlike all others of it: uint8 [size, size, 3]."""
    random = np.random.default_rng([*label.encode(), number])
    made = random.integers(0, 60, (size, size, 3))
    light = random.integers(150, 256, 3)
    if label == "frame":
        made[0], made[-1], made[:, 0], made[:, -1] = light, light, light, light
    elif label == "dot":
        made[size // 4 : -(size // 4), size // 4 : -(size // 4)] = light
    else:
        made[:, random.integers(1, size - 1)] = light
    return made.astype(np.uint8)


def draw(folder: Path, numbers: Iterable[int] = range(10), classes: Iterable[str] = CLASSES, size: int = 8) -> Path:
    """Write ``CLASS/NUMBER.png`` for every class and number; returns the folder."""
    for label in classes:
        (folder / label).mkdir(parents=True, exist_ok=True)
        for number in numbers:
            Image.fromarray(pixels(label, number, size)).save(folder / label / f"{number}.png")
    return folder
