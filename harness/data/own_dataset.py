"""The dataset that one's own images make: what follows from them for its task and its teachers."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from harness.data.dataset import Dataset
from harness.data.gathering import Gathered
from harness.data.own import OwnData
from harness.data.recipe import Teachers, by_steps
from methods.base.task import RealImages, Task

DIGITS = 4
"""Decimals of mean and deviation, as they are printed for other datasets."""
PAD = 8
"""The padding is the size over this: 4 pixels of 32, as for CIFAR."""


def dataset(own: OwnData, found: Gathered) -> Dataset:
    """The dataset of a description and of the images that it means."""
    trained = ~found.test
    return Dataset(
        _task(own, found),
        Teachers(by_steps(int(trained.sum()))),
        train=partial(_part, found, trained),
        test=partial(_part, found, found.test),
        notes=found.notes,
    )


def _task(own: OwnData, found: Gathered) -> Task:
    _, channels, height, width = found.images.shape
    mean, std = _moments(found.images[~found.test])
    return Task(
        classes=len(found.class_names),
        class_names=found.class_names,
        shape=(channels, height, width),
        mean=own.mean or mean,
        std=own.std or std,
        pad=height // PAD if own.pad is None else own.pad,
        flip=channels == 3 if own.flip is None else own.flip,
        reference_size=int((~found.test).sum()),
    )


def _part(found: Gathered, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> RealImages:
    return RealImages(torch.from_numpy(found.images[chosen]), torch.from_numpy(found.labels[chosen]))


def _moments(images: np.ndarray[Any, np.dtype[np.uint8]]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of every channel, of images [n, C, H, W] in [0, 1]: exact until they are rounded."""
    means, deviations = [], []
    for channel in images.swapaxes(0, 1):
        counts = np.bincount(channel.ravel(), minlength=256).tolist()
        n = sum(counts)
        first, second = (sum(count * value**power for value, count in enumerate(counts)) for power in (1, 2))
        means.append(round(first / n / 255, DIGITS))
        deviations.append(round((n * second - first**2) ** 0.5 / n / 255, DIGITS))
    return tuple(means), tuple(deviations)
