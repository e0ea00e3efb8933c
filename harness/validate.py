"""Checks a whole grid before anything trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from harness import config, cost, data
from harness.assemble import build_method, build_network, method_class, method_config, preset_note
from harness.config import Cell
from harness.data.dataset import Dataset
from harness.errors import UserError
from harness.recipes import recipe_for

FEW_IMAGES = 32
SCALE = 1.0
"""Percent at which methods are built: the size of pool and buffer decides nothing, but takes time."""


def validate(path: Path, report: Callable[[str], object] = print) -> list[Cell]:
    """Build every method once for every pair, with its options; returns the cells.

    Raises UserError at the first problem. Reports presets whose values are another pair's, and scales that leave fewer
    than 32 images.
    """
    grid = config.load_grid(path)
    cells, recipes = grid.cells, grid.recipes
    for name in dict.fromkeys(cell.dataset for cell in cells):
        mine = [cell for cell in cells if cell.dataset == name]
        for teacher in {cell.teacher for cell in mine}:
            recipe_for(name, teacher, recipes[name])
        _validate_dataset(name, mine, path.name, report)
    report(f"{path.name}: {len(cells)} cells are valid")
    return cells


def _validate_dataset(name: str, cells: list[Cell], file: str, report: Callable[[str], object]) -> None:
    dataset = data.load(name, all(cell.verify for cell in cells))
    dataset.require()
    setups = {(c.study, c.label, c.teacher, c.student): c for c in cells}
    for cell in setups.values():
        method_config(cell, file)
    report(f"{file}: {name}: building every method on every pair, {len(setups)} in all")
    for teacher, group in _by_teacher(setups.values()).items():
        network = build_network(teacher, dataset)
        for cell in group:
            _build(cell, dataset, network, file)
            if note := preset_note(cell):
                report(f"{file}: methods.{cell.label}.preset: {note}")
    _check_references(cells, dataset)
    for cell in {(c.study, c.label, c.teacher, c.student): c for c in sorted(cells, key=_scale)}.values():
        if available := cost.device_memory(cell.device):
            cost.check_memory(cell, available)
    for scale in sorted({cell.scale for cell in cells}, reverse=True):
        if (images := round(scale / 100 * dataset.task.reference_size)) < FEW_IMAGES:
            report(f"{file}: scale {scale:g} leaves {max(1, images)} images, fewer than {FEW_IMAGES}")


def _scale(cell: Cell) -> float:
    return cell.scale


def _by_teacher(cells: Iterable[Cell]) -> dict[str, list[Cell]]:
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        groups.setdefault(cell.teacher, []).append(cell)
    return groups


def _build(cell: Cell, dataset: Dataset, teacher: nn.Module, file: str) -> None:
    """Raise UserError if the cell's method cannot be set up on its pair, with an untrained teacher and few images."""
    small = replace(cell, scale=min(cell.scale, SCALE))
    try:
        build_method(small, method_config(cell, file), dataset, teacher, torch.device("cpu"))
    except (ValueError, TypeError, RuntimeError, LookupError, AssertionError) as error:
        pair = f"{cell.teacher} → {cell.student}"
        raise UserError(f"{file}: methods.{cell.label} cannot work on {pair}: {error}") from error


def _check_references(cells: list[Cell], dataset: Dataset) -> None:
    """References need the training data, of which windows can be cut without end; the others need none."""
    if any(not method_class(cell).data_free for cell in cells):
        images = dataset.train().images
        if images.shape[1:] == dataset.task.shape and len(images) < dataset.task.reference_size:
            raise UserError(f"references need {dataset.task.reference_size} training images, there are {len(images)}")
