"""Checks a whole grid before anything trains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness import config, data
from harness.assemble import build_network, method_class, method_config
from harness.config import Cell
from harness.data.dataset import Dataset
from harness.errors import UserError

FEW_IMAGES = 32


def validate(path: Path, report: Callable[[str], object] = print) -> list[Cell]:
    """Import every method once and check every cell's options, data and networks; returns the cells.

    Raises UserError at the first problem. Reports scales that leave fewer than 32 images.
    """
    study = config.load(path)
    cells = config.grid(study)
    dataset = data.load(study.dataset)
    for cell in {cell.label: cell for cell in cells}.values():
        method_class(cell)
        method_config(cell, path.name)
    for pair in study.pairs:
        for network in (pair.teacher, pair.student):
            build_network(network, dataset)
    _check_references(cells, dataset)
    for scale in study.scales:
        if (images := round(scale / 100 * dataset.task.reference_size)) < FEW_IMAGES:
            report(f"{path.name}: scale {scale:g} leaves {max(1, images)} images, fewer than {FEW_IMAGES}")
    report(f"{path.name}: {len(cells)} cells are valid")
    return cells


def _check_references(cells: list[Cell], dataset: Dataset) -> None:
    """References need the training data; the others do not."""
    if any(not method_class(cell).data_free for cell in cells):
        available = len(dataset.train().labels)
        if available < dataset.task.reference_size:
            raise UserError(f"references need {dataset.task.reference_size} training images, there are {available}")
