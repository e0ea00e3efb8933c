"""Every method with the papers' networks, on images of CIFAR's size and on windows of NYUv2, smaller than its own."""

from __future__ import annotations

import functools
from dataclasses import replace

import pytest
import torch
from torch import nn

from harness import networks
from harness.data.dataset import Dataset
from harness.engine.evaluate import Evaluator
from harness.engine.randomness import Streams
from harness.grid.cell import Cell
from harness.run import sheet
from harness.run.assemble import build_method, method_class, method_config
from methods.base.pair import Pair
from methods.base.presets import RESNETS, WRN_16_1
from methods.base.task import RealImages
from tests.methods.test_pairs import LABELS, NYUV2, cell, made_up, small
from tests.pretended.device import DEVICE
from tests.pretended.machine import WatchedClock

FEW = {"inversion_batch": 2, "generator_width": 8, "nz": 8, "steps": 100}
"""Over the small numbers of the tests without a card: one distillation step."""
LARGE = 80
"""Pixels of a window's side at most; beyond 64 the generators are those of large images."""


@functools.cache
def scene(dataset: str, network: str) -> tuple[Dataset, nn.Module]:
    """Two made-up images, which 1 % stands for, and an untrained teacher on the card."""
    found = made_up(dataset)
    channels, *sides = found.task.shape
    size = [min(side, LARGE) for side in sides]
    few = RealImages(
        *(part[:2, ..., : size[0], : size[1]] if part.dim() > 1 else part[:2] for part in vars(found.train()).values())
    )
    task = replace(found.task, shape=(channels, *size), reference_size=200)
    found = replace(found, task=task, train=lambda: few, test=lambda: few)
    made = Streams(7, DEVICE).build("teacher", lambda: networks.for_task(network, found.task))
    return found, made.eval()


def rehearse(at: Cell, dataset: Dataset, teacher: nn.Module) -> None:
    """Build the method, make images, take a step, measure the student, look at the images."""
    method, clock = build_method(at, method_config(at), dataset, teacher, DEVICE), WatchedClock(DEVICE)
    made, stepped = 0, 0
    for index in range(method.schedule.rounds):
        losses = method.round(index, clock)
        made, stepped = made + len(losses.synthesis), stepped + len(losses.distillation)
        values = [value for found in (*losses.synthesis, *losses.distillation) for value in found.values()]
        assert all(value.device == DEVICE and torch.isfinite(value) for value in values)
        if made and stepped:
            break
    assert made
    assert stepped
    assert 0 <= Evaluator(dataset, teacher, DEVICE)(method.context.student).metric <= 100
    images = method.synthetic_images(2)
    assert images.device == DEVICE
    classes, _ = sheet.describe(images, teacher, dataset.task)
    assert sum(classes) == (images[:, 0].numel() if dataset.task.dense else len(images))


@pytest.mark.parametrize("pair", [WRN_16_1, RESNETS], ids=lambda pair: pair.folder)
@pytest.mark.parametrize("label", LABELS)
def test_every_method_on_cifar(label: str, pair: Pair) -> None:
    at = cell("cifar10", pair, label)
    rehearse(replace(at, options={**at.options, **small(method_class(at), FEW)}), *scene("cifar10", pair.teacher))


@pytest.mark.parametrize("label", NYUV2)
def test_every_method_on_nyuv2s_windows(label: str) -> None:
    at = NYUV2[label]
    options = {**at.options, **small(method_class(at), FEW)}
    rehearse(replace(at, options=options, scale=1.0), *scene("nyuv2", at.pair.teacher))
