"""One round of every method on every pair of the papers, in batches of two, CIFAR at its real size with most."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

import methods
from harness import data, networks
from harness.commands.contract import CPU, tiny_cell
from harness.data.dataset import Dataset
from harness.engine.randomness import Streams
from harness.grid.cell import Cell
from harness.grid.grid import load_grid
from harness.grid.study import Budget
from harness.run.assemble import build_method, method_class, method_config
from harness.run.cost import estimate, resident
from harness.run.rounds import CostClock
from methods.base.method import Method
from methods.base.pair import Pair
from methods.base.presets import CIFAR_PAIRS, WRN_16_1
from methods.base.task import RealImages, Task

LABELS = {
    "ssd-kd": ("ssd-kd", "fast-2"),
    "fast-2": ("fast", "fast-2"),
    "nayer": ("nayer", "nayer-100"),
    "cpnet": ("cpnet", "cpnet-100-dist"),
    "cmi": ("cmi", "cmi"),
    "deepinversion": ("deepinversion", "adi"),
    "dafl-original": ("dafl", "original"),
    "dafl-cmi": ("dafl", "cmi"),
    "dfad-original": ("dfad", "original"),
    "dfad-cmi": ("dfad", "cmi"),
    "zskt-original": ("zskt", "original"),
    "zskt-cmi": ("zskt", "cmi"),
    "dfq": ("dfq", "cmi"),
    "spaceshipnet": ("spaceshipnet", "spaceshipnet"),
    "pre-dfkd": ("pre-dfkd", "original"),
    **{name: (name, None) for name in methods.REFERENCES},
}
SMALL = {"batch": 2, "inversion_batch": 2, "inner_steps": 1, "bank": 8, "negatives": 4, "steps": 200, "epochs": 1}
"""At 1 %: two distillation steps."""
FEW_ROUNDS = {"rounds": 3, "warmup": 1}
"""Of a method whose rounds do not depend on the scale."""


Report = Callable[[str, object], None]
"""Notes a property of a test; those named ``memory`` are printed at the end (tests/conftest.py)."""


def small(method: type[Method], more: dict[str, int] | None = None) -> dict[str, int]:
    """The part of these options that a method has."""
    known = method.Config.model_fields
    rounds = FEW_ROUNDS if "rounds" in known else {}
    return {key: value for key, value in {**SMALL, **rounds, **(more or {})}.items() if key in known}


def made_up(name: str, side: int | None = None) -> Dataset:
    """The dataset with random images of its shape, or of another side, and random labels."""
    loaded, random = data.load(name), torch.Generator().manual_seed(0)
    channels, height, width = loaded.task.shape
    shape, classes = (channels, side or height, side or width), loaded.task.classes
    places = (40, *shape[1:]) if loaded.task.dense else (40,)
    images = torch.randint(0, 256, (40, *shape), generator=random, dtype=torch.uint8)
    real = RealImages(images, torch.randint(0, classes, places, generator=random))
    task = replace(loaded.task, shape=shape, reference_size=400)  # 4 images at 1 %
    return replace(loaded, task=task, train=lambda: real, test=lambda: real)


def cell(dataset: str, pair: Pair, label: str) -> Cell:
    method, preset = LABELS[label]
    made = replace(tiny_cell(method, {}), dataset=dataset, pair=pair, scale=1.0, budget=Budget(), preset=preset)
    made = replace(made, teacher_network=pair.teacher, student_network=pair.student)
    return replace(made, options=small(method_class(made)))


def run_first_rounds(method: Method, report: Report) -> None:
    """Until images were made and the student took a step; all losses are numbers. Reports the memory that this took."""
    made, stepped, clock = 0, 0, CostClock()
    for index in range(method.schedule.rounds):
        losses = method.round(index, clock)
        for found in (*losses.synthesis, *losses.distillation):
            assert all(torch.isfinite(value) for value in found.values())
        made, stepped = made + len(losses.synthesis), stepped + len(losses.distillation)
        if made and stepped:
            break
    assert made
    assert stepped
    report("memory", resident(method) + max(clock.saved.values()))
    images = method.synthetic_images(4)
    assert images.shape[1:] == method.context.task.shape


@functools.cache
def teacher_for(network: str, task: Task) -> nn.Module:
    """The same for all methods, which leave it as it is."""
    return Streams(7, CPU).build("teacher", lambda: networks.for_task(network, task)).eval()


def build(at: Cell, dataset: Dataset) -> Method:
    return build_method(at, method_config(at), dataset, teacher_for(at.pair.teacher, dataset.task), CPU)


@pytest.mark.parametrize("pair", CIFAR_PAIRS, ids=lambda pair: pair.folder)
@pytest.mark.parametrize("label", LABELS)
def test_every_method_on_every_pair_of_cifar_100(label: str, pair: Pair, record_property: Report) -> None:
    side = 16 if pair.teacher == "resnet34" else None  # its steps take longest
    run_first_rounds(build(cell("cifar100", pair, label), made_up("cifar100", side)), record_property)


@pytest.mark.parametrize("label", LABELS)
def test_every_method_on_cifar_10(label: str, record_property: Report) -> None:
    run_first_rounds(build(cell("cifar10", WRN_16_1, label), made_up("cifar10")), record_property)


NYUV2 = {found.label: found for found in load_grid(Path("workflow/config/nyuv2.yaml")).cells}


@pytest.mark.parametrize("label", NYUV2)
def test_every_method_on_nyuv2s_windows(label: str, record_property: Report) -> None:
    """With the options of the configuration and the real DeepLab networks: in small batches of windows of a quarter of
    the side with numbers, and as it stands with shapes alone."""
    found = NYUV2[label]
    assert estimate(found)
    at = replace(found, options={**found.options, **small(method_class(found))}, scale=1.0)
    run_first_rounds(build(at, made_up("nyuv2", side=32)), record_property)
