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


def as_tiny_imagenet(folder: Path, classes: Iterable[str] = ("n01", "n02"), each: int = 2, size: int = 8) -> Path:
    """The archive's layout: ``each`` training pictures of every class, half as many to test on; returns the folder."""
    labels = list(classes)
    for label in labels:
        place = folder / "train" / label
        (place / "images").mkdir(parents=True)
        (place / f"{label}_boxes.txt").write_text("boxes, which nobody reads", encoding="utf-8")
        for number in range(each):
            save(place / "images" / f"{label}_{number}.JPEG", label, number, size)
    tested = [label for label in reversed(labels) for _ in range(each // 2)]
    for part in ("val", "test"):
        (folder / part / "images").mkdir(parents=True)
    for number, label in enumerate(tested):
        save(folder / "val" / "images" / f"val_{number}.JPEG", label, each + number, size)
    save(folder / "test" / "images" / "test_0.JPEG", labels[0], 99, size)
    lines = [f"val_{number}.JPEG\t{label}\t0\t0\t7\t7\n" for number, label in enumerate(tested)]
    (folder / "val" / "val_annotations.txt").write_text("".join(lines), encoding="utf-8")
    for name in ("wnids.txt", "words.txt"):
        (folder / name).write_text("\n".join(labels), encoding="utf-8")
    return folder


def save(path: Path, label: str, number: int, size: int) -> None:
    """A picture of a class, of the kind that its name says."""
    Image.fromarray(pixels(label, number, size)).save(path, quality=95)
