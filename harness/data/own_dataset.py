"""The dataset that one's own images make: what follows from them for its task and its teachers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from harness.data import class_folders
from harness.data.dataset import Dataset
from harness.data.gathering import Gathered
from harness.data.own import OwnData
from harness.data.recipe import Teachers, by_steps
from harness.errors import UserError
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


def told(own: OwnData, read: Callable[[], Gathered]) -> Dataset:
    """The dataset of a description that says all: its images are read when asked for, those of training never.

    Args:
        own: the description.
        read: gathers the images to test on.

    Raises UserError if the folder is there, and has other classes.
    """
    assert own.classes is not None and own.size is not None and own.channels is not None
    assert own.mean is not None and own.std is not None and own.reference_size is not None
    task = Task(
        classes=own.classes,
        class_names=_names(own, own.classes),
        shape=(own.channels, own.size, own.size),
        mean=own.mean,
        std=own.std,
        pad=_pad(own, own.size),
        flip=_flip(own, own.channels),
        reference_size=own.reference_size,
    )
    teachers = Teachers(by_steps(own.reference_size))
    return Dataset(task, teachers, train=partial(_refuse, own), test=partial(_tested, read), trains=False)


def _names(own: OwnData, count: int) -> tuple[str, ...]:
    """Of the classes; numbers, as long as the folder is not there."""
    if not own.place.is_dir():
        return tuple(map(str, range(count)))
    names = tuple(class_folders.classes(own.place, own.trained))
    if len(names) != count:
        class_folders.check(own.place, own.trained)
        raise UserError(f"dataset {own}: {len(names):,} classes in {own.place}, `classes` says {count:,}")
    return names


def _refuse(own: OwnData) -> RealImages:
    raise UserError(
        f"dataset {own}: with `reference_size` no training image is read, and references and the training of teachers "
        "need some\n  leave them out, import teachers (`dkd train-teacher --import FILE`), or leave reference_size out"
    )


def _tested(read: Callable[[], Gathered]) -> RealImages:
    found = read()
    return _part(found, found.test)


def _pad(own: OwnData, size: int) -> int:
    return size // PAD if own.pad is None else own.pad


def _flip(own: OwnData, channels: int) -> bool:
    return channels == 3 if own.flip is None else own.flip


def _task(own: OwnData, found: Gathered) -> Task:
    _, channels, height, width = found.images.shape
    mean, std = _moments(found.images[~found.test])
    return Task(
        classes=len(found.class_names),
        class_names=found.class_names,
        shape=(channels, height, width),
        mean=own.mean or mean,
        std=own.std or std,
        pad=_pad(own, height),
        flip=_flip(own, channels),
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
