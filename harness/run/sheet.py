"""The sheet of sample images, and what the teacher makes of the synthetic set."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from harness.engine import precision
from harness.engine.evaluate import batch_size
from harness.store.atomic import write_with
from methods.base.task import Task
from methods.parts.images import Normaliser

DIFFICULTY_BINS = 20
ROWS, MAGNIFY = 8, 4
"""Images under one another on a sheet, and pixels of a sheet to a pixel of an image, each way, at most."""
WIDE = 4160
"""Pixels of a sheet each way, beyond which its images are magnified less: eight of 128 pixels, four times."""


@torch.no_grad()
def describe(images: Tensor, teacher: nn.Module, task: Task) -> tuple[list[int], list[int]]:
    """Class counts and difficulty histogram of images [n, C, H, W] in [0, 1].

    Classes are the teacher's predictions, of every pixel in dense tasks; difficulty is 1 - p_t, p_t the probability of
    the predicted class, in 20 equal bins on [0, 1].
    """
    normalise = Normaliser(task, images.device)
    classes, difficulty = torch.zeros(task.classes).long(), torch.zeros(DIFFICULTY_BINS).long()
    for batch in images.split(batch_size(task)):
        with precision.full():
            confidence, predicted = teacher(normalise(batch)).softmax(dim=1).max(dim=1)
        bins = ((1 - confidence) * DIFFICULTY_BINS).long().clamp(0, DIFFICULTY_BINS - 1)
        classes += torch.bincount(predicted.flatten().cpu(), minlength=task.classes)
        difficulty += torch.bincount(bins.flatten().cpu(), minlength=DIFFICULTY_BINS)
    return classes.tolist(), difficulty.tolist()


def problem(images: object, task: Task, count: int) -> str | None:
    """What is wrong with the images that `synthetic_images(count)` returned; None if nothing is."""
    expected = f"1 to {count} of {list(task.shape)} in [0, 1]"
    if not isinstance(images, Tensor):
        return f"synthetic_images({count}) returned {type(images).__name__}, expected a tensor: {expected}"
    if images.shape[1:] != task.shape or not 0 < len(images) <= count or not images.is_floating_point():
        kind = f"{str(images.dtype).removeprefix('torch.')} of shape {list(images.shape)}"
        return f"synthetic_images({count}) is {kind}, expected {expected}"
    low, high = float(images.min()), float(images.max())  # nan if one pixel is
    if not 0 <= low <= high <= 1:
        return f"synthetic_images goes from {low:.3f} to {high:.3f}, expected [0, 1]"
    return None


def save_sheet(path: Path, images: Tensor) -> None:
    """Write images [n, C, H, W] in [0, 1] side by side in ROWS rows, each with a one-pixel border; C is 1 or 3."""
    from PIL import Image

    columns = -(-len(images) // ROWS)
    padded = torch.nn.functional.pad(images, [1] * 4, value=1.0)
    blank = padded.new_ones(ROWS * columns - len(images), *padded.shape[1:])
    grid = torch.cat([padded, blank]).unflatten(0, (ROWS, columns)).permute(0, 3, 1, 4, 2).flatten(2, 3).flatten(0, 1)
    pixels = (grid * 255).round().to(torch.uint8).cpu().numpy()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    magnify = max(1, min(MAGNIFY, WIDE // max(picture.size)))
    size = (picture.width * magnify, picture.height * magnify)
    write_with(path, lambda file: picture.resize(size, Image.Resampling.NEAREST).save(file, format="PNG"))
