"""What the bench knows of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from methods.base import RealImages, Task


@dataclass(frozen=True)
class Dataset:
    """A task, and its images when asked for. Methods are given the task alone."""

    task: Task
    train: Callable[[], RealImages]
    test: Callable[[], RealImages]


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

    The k-th of n_c shuffled members of class c is placed at (k + 1/2) / n_c.
    """
    generator = torch.Generator().manual_seed(0)
    order = torch.randperm(len(labels), generator=generator)
    place = torch.empty(len(labels), dtype=torch.float64)
    for c in labels.unique().tolist():
        members = order[labels[order].cpu() == c]
        place[members] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
    return place.sort(stable=True).indices
