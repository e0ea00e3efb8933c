"""Cells of the papers' grids with made-up images and untrained teachers: what they cost does not depend on either."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

import torch

from benchmarks.gpu_check.setting import Mode
from harness import ROOT, data, networks
from harness.data.dataset import Dataset
from harness.engine import graphs, precision
from harness.engine.randomness import Streams
from harness.grid import settings
from harness.grid.cell import Cell
from harness.grid.grid import load_grid
from harness.machine.devices import choose_device
from harness.run.assemble import build_method, method_class, method_config
from methods.base.method import Method
from methods.base.pair import Pair
from methods.base.task import RealImages

TEST_IMAGES = 16


def device() -> torch.device:
    """The card, or the processor where there is none."""
    return choose_device("auto")


def possible(mode: Mode) -> bool:
    """Whether the device can calculate so."""
    return mode.precision in precision.possible(device()) and (device().type == "cuda" or not mode.graphs)


@functools.cache
def cells(study: str, pair: Pair | None = None) -> dict[str, Cell]:
    """Label -> a cell of a study of the bench, on its first dataset and on ``pair``, or on its first one."""
    found: dict[str, Cell] = {}
    for cell in load_grid(ROOT / f"workflow/config/{study}.yaml").cells:
        if pair in (cell.pair, None):
            found.setdefault(cell.label, cell)
    return found


def papers_cells(pair: Pair) -> dict[str, Cell]:
    """Label -> a cell of the papers' grids on CIFAR-10 and this pair."""
    return cells("paper-plus", pair) | cells("cifar", pair)


def one_of_each(cells: Mapping[str, Cell]) -> list[Cell]:
    """The first cell of every method."""
    first: dict[str, Cell] = {}
    for cell in cells.values():
        first.setdefault(cell.method, cell)
    return list(first.values())


def sized(cell: Cell, mode: Mode, scale: float, sizes: Mapping[str, Any]) -> Cell:
    """The cell at another data scale and in this mode, with those of the ``sizes`` that its method has."""
    known = method_class(cell).Config.model_fields
    unlike = set() if "rounds" in known else {"warmup"}  # a share, where rounds are not counted
    changed = settings.apply({name: sizes[name] for name in (sizes.keys() & known.keys()) - unlike}, cell)
    return dataclasses.replace(changed, scale=scale, seed=0, precision=mode.precision, graphs=mode.graphs)


def build(cell: Cell) -> Method:
    """The cell's method on the device, set up as a run does it."""
    precision.apply(cell.precision)
    method = build_method(cell, method_config(cell), images(cell.dataset), teacher(cell), device())
    if cell.graphs:
        graphs.HeldStep(method)
    return method


def teacher(cell: Cell) -> torch.nn.Module:
    """An untrained network in the place of the cell's teacher."""
    task = images(cell.dataset).task
    return Streams(7, device()).build("teacher", lambda: networks.for_task(cell.teacher_network, task)).eval()


@functools.cache
def images(dataset: str) -> Dataset:
    """The dataset with random images of its shape and random labels."""
    loaded = data.load(dataset, verify=False)
    return dataclasses.replace(loaded, train=lambda: _random(loaded, 256), test=lambda: _random(loaded, TEST_IMAGES))


def _random(dataset: Dataset, n: int) -> RealImages:
    task, random = dataset.task, torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (n, *task.shape), dtype=torch.uint8, generator=random)
    places = (n, *task.shape[1:]) if task.dense else (n,)
    labels = torch.randint(task.classes, places, generator=random)
    return RealImages(pixels, labels.to(torch.uint8) if task.dense else labels)
