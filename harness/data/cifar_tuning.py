"""CIFAR-10 for choosing hyperparameters: 2,000 of its training images stand in for the test set, which stays closed.

They are the last 200 of every class in the official order. Our choice: a public teacher learned from all training
images, so any 2,000 of them serve as well, and no drawn list has to be kept.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from harness.data import cifar
from harness.data.dataset import Dataset
from harness.data.recipe import Teachers
from methods.base.task import RealImages

FILES = {"cifar10-tuning": ["cifar-10-batches-py", "cifar-10-batches-bin"]}
OFFICIAL = ("cifar10-tuning",)
TRAIN, PER_CLASS = 48_000, 200
"""Training images, and those of a class that stand in for test images."""


def _dataset(folder: Path, verify: bool) -> Dataset:
    whole = cifar.DATASETS["cifar10"](folder, verify)
    return dataclasses.replace(
        whole,
        teachers=Teachers(cifar.RECIPE),  # what is published of teachers is of the test set
        task=dataclasses.replace(whole.task, reference_size=TRAIN),
        train=partial(_part, whole, tuning=False),
        test=partial(_part, whole, tuning=True),
    )


def _part(whole: Dataset, tuning: bool) -> RealImages:
    real = whole.train()
    chosen = last_of_each_class(real.labels) == tuning
    return RealImages(real.images[chosen], real.labels[chosen])


def last_of_each_class(labels: Tensor) -> Tensor:
    """Which of the labels [n] are among the last `PER_CLASS` of their class: bool [n]."""
    chosen = torch.zeros(len(labels), dtype=torch.bool)
    for label in labels.unique():
        chosen[(labels == label).nonzero().flatten()[-PER_CLASS:]] = True
    return chosen


DATASETS = {"cifar10-tuning": _dataset}
