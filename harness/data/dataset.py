"""What the bench knows of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from harness.data.own import OwnData
from harness.data.recipe import Teachers
from harness.store.bounds import Verified
from methods.base.task import RealImages, Task
from methods.parts.views import random_windows


def nothing() -> None:
    """What a dataset that comes with the bench requires."""


@dataclass(frozen=True)
class Dataset:
    """A task, and its images when asked for. Methods are given the task alone."""

    task: Task
    teachers: Teachers
    """How its teachers are trained."""
    train: Callable[[], RealImages]
    """Training images; in dense tasks they may be larger than the task's."""
    test: Callable[[], RealImages]
    require: Callable[[], None] = nothing
    """Raises UserError, with the remedy, unless all files are there and intact."""
    trains: bool = True
    """Whether there are training images; without, ``train`` raises UserError that says why."""
    notes: tuple[str, ...] = ()
    """What a person should know of the images, a line each."""
    verified: Verified = False
    """Whether files without their official checksums are refused; set by `data.load`."""
    own: OwnData | None = None
    """How it was described, if these are images of one's own; set by `data.load`."""
    identity: str | None = None
    """Which data these are (`harness/data/identity.py`); set by `data.load`."""


def reference_images(dataset: Dataset, n: int) -> RealImages:
    """The ``n`` real images that references learn from, of the task's size, the same for every seed.

    Of a dataset whose images are larger they are windows, image after image in a fixed order. Raises ValueError if
    there are fewer than n.
    """
    data, shape = dataset.train(), dataset.task.shape
    return nested_subset(data, n) if data.images.shape[1:] == shape else nested_windows(data, n, shape[1:])


def nested_windows(data: RealImages, n: int, size: tuple[int, int]) -> RealImages:
    """``n`` random windows of dense data, as many of every image as of any other; the first ones of any larger n."""
    random = torch.Generator().manual_seed(0)
    order = torch.randperm(len(data.images), generator=random)
    parts = []
    for first in range(0, n, len(order)):
        chosen = order[: n - first]
        parts.append(random_windows(data.images[order], data.labels[order], size, False, random))
        parts[-1] = parts[-1][0][: len(chosen)], parts[-1][1][: len(chosen)]
    images, labels = zip(*parts, strict=True)
    return RealImages(torch.cat(images), torch.cat(labels))


def nested_subset(data: RealImages, n: int) -> RealImages:
    """``n`` of the images, the classes as balanced as in the whole; a smaller subset is part of every larger one.

    The order is a fixed one: subsets do not depend on the seed of a run. Raises ValueError if there are fewer than n.
    """
    if n > len(data.images):
        raise ValueError(f"a subset of {n} images was asked for, the data has {len(data.images)}")
    chosen = stratified_order(data.labels)[:n]
    return RealImages(data.images[chosen], data.labels[chosen])


def stratified_order(labels: Tensor) -> Tensor:
    """A fixed random order of all samples whose every prefix holds the classes in (nearly) their overall shares.

    The k-th of n_c shuffled members of class c is placed at (k + 1/2) / n_c. Dense labels [n, H, W] have no such order:
    theirs is merely random.
    """
    random = torch.Generator().manual_seed(0)
    order = torch.randperm(len(labels), generator=random)
    if labels.dim() > 1:
        return order
    place = torch.empty(len(labels), dtype=torch.float64)
    for c in labels.unique().tolist():
        members = order[labels[order].cpu() == c]
        place[members] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
    return place.sort(stable=True).indices
