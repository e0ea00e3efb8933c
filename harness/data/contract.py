"""What a dataset's images and labels must be for its Task. Checked wherever they are read."""

from __future__ import annotations

import torch
from torch import Tensor

from harness.errors import UserError
from harness.explain import shown
from methods.base.task import IGNORED, RealImages, Task

MOST_CLASSES = 10_000
"""Of images: records list them (`class_names` of harness/store/records.py)."""
MOST_OF_PIXELS = IGNORED
"""Labels of pixels are kept as uint8, of which the highest value is IGNORED."""

MOST_PIXELS = 1024
"""Of an image, each way: a sheet of 64 must stay small enough to be opened (`PIXELS` of harness/store/checking.py)."""


def check_task(name: str, task: Task) -> None:
    """Raise UserError unless the task makes sense by itself."""
    channels, *size = task.shape
    most = MOST_OF_PIXELS if task.dense else MOST_CLASSES
    problems = {
        f"classes={task.classes}, expected 2 to {most}": not 2 <= task.classes <= most,
        f"shape={task.shape}, expected channels, height and width": len(size) != 2 or min(task.shape) < 1,
        f"shape={task.shape}, expected 1 or 3 channels, which a picture has": channels not in (1, 3),
        f"shape={task.shape}, expected at most {MOST_PIXELS:,} pixels each way": max(size, default=0) > MOST_PIXELS,
        f"mean={task.mean}, expected a value for each of {channels} channels": len(task.mean) != channels,
        f"std={task.std}, expected a value above 0 for each of {channels} channels": (
            len(task.std) != channels or min(task.std) <= 0
        ),
        f"pad={task.pad}, expected 0 or more": task.pad < 0,
        f"class_names={shown(task.class_names)}, expected {task.classes} names in printable letters, each another": (
            len(task.class_names) != task.classes
            or len(set(task.class_names)) != task.classes
            or not all(isinstance(name, str) and name.strip() and name.isprintable() for name in task.class_names)
        ),
        f"reference_size={task.reference_size}, expected 1 or more": task.reference_size < 1,
    }
    if wrong := [problem for problem, is_wrong in problems.items() if is_wrong]:
        raise UserError(f"dataset {name}: its Task says {wrong[0]}")


def check_images(name: str, part: str, real: RealImages, task: Task) -> None:
    """Raise UserError unless images and labels are those of the task.

    Args:
        name: of the dataset.
        part: ``training`` or ``test``.
        real: what was read.
        task: what it is for.
    """
    images, labels = real.images, real.labels
    if problem := _images(images, task) or _labels(labels, task) or _together(images, labels, task):
        raise UserError(f"dataset {name}, {part} part: {problem}")


def _images(images: Tensor, task: Task) -> str | None:
    if not isinstance(images, Tensor) or images.dtype != torch.uint8 or images.dim() != 4:
        return f"images are {_kind(images)}, expected a tensor of uint8 [n, channels, height, width]"
    if not len(images):
        return "there are no images"
    found, wanted = tuple(images.shape[1:]), tuple(task.shape)
    larger = task.dense and found[0] == wanted[0] and found[1] >= wanted[1] and found[2] >= wanted[2]
    if found != wanted and not larger:
        return f"images of shape {found}, its Task says {wanted}{' or larger' if task.dense else ''}"
    return None


def _labels(labels: Tensor, task: Task) -> str | None:
    axes = "[n, height, width]" if task.dense else "[n]"
    whole = isinstance(labels, Tensor) and not (labels.is_floating_point() or labels.is_complex())
    if not whole or labels.dtype == torch.bool or labels.dim() != (3 if task.dense else 1):
        return f"labels are {_kind(labels)}, expected a tensor of whole numbers {axes}"
    counted = labels[labels != IGNORED] if task.dense else labels
    if len(counted) and (counted.min() < 0 or counted.max() >= task.classes):
        found = f"labels from {int(counted.min())} to {int(counted.max())}"
        ignored = f", or {IGNORED} where a pixel does not count" if task.dense else ""
        return f"{found}, its Task says {task.classes} classes: 0 to {task.classes - 1}{ignored}"
    return None


def _together(images: Tensor, labels: Tensor, task: Task) -> str | None:
    if len(images) != len(labels):
        return f"{len(images)} images, but {len(labels)} labels"
    if task.dense and images.shape[2:] != labels.shape[1:]:
        return f"images of {tuple(images.shape[2:])} pixels, but labels of {tuple(labels.shape[1:])}"
    return None


def _kind(value: object) -> str:
    if isinstance(value, Tensor):
        return f"{str(value.dtype).removeprefix('torch.')} of shape {tuple(value.shape)}"
    return type(value).__name__
