"""`dkd validate`: checks a whole grid before anything trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from harness import data, networks
from harness.data.dataset import Dataset
from harness.engine import evaluate
from harness.engine.failures import MethodFailed, inside_method
from harness.errors import UserError
from harness.grid.cell import Cell
from harness.grid.grid import Grid, load_grid
from harness.machine import cores, memory
from harness.machine.devices import device_memory
from harness.networks.forward import check_features
from harness.run import fitting, shaped
from harness.run.assemble import build_method, cell_device, method_class, method_config, method_prior, preset_note
from harness.store.layout import scale_text
from harness.store.records import FEW_IMAGES
from harness.terminal import say
from harness.wording import count
from methods.base.prior import Prior

SCALE = 1.0
"""Percent at which methods are built: the size of pool and buffer decides nothing, but takes time."""


def validate(path: Path, report: Callable[[str], object] = say, concurrent: int = 1) -> list[Cell]:
    """Build every method once for every pair, with its options; returns the cells.

    Raises UserError at the first problem. Reports presets whose values are another pair's, buffers that are never full,
    scales that leave fewer than FEW_IMAGES images, and cores and memory that ``concurrent`` cells at once seem to lack.
    """
    grid = load_grid(path)
    cells = grid.cells
    if torch.cuda.is_available():  # without a GPU here, cells may run where there is one
        for cell in {(cell.device, cell.precision): cell for cell in cells}.values():
            cell_device(cell)
    for name in dict.fromkeys(cell.dataset for cell in cells):
        mine = [cell for cell in cells if cell.dataset == name]
        dataset = data.load(mine[0].data, all(cell.verify for cell in mine))
        for note in dataset.notes:
            report(f"{path.name}: {name}: {note}")
        _check_recipes(grid, name, dataset)
        _validate_dataset(dataset, name, mine, path.name, report)
    for problem in _crowded(grid, min(concurrent, len(cells))):
        report(f"{path.name}: {problem}")
    report(f"{path.name}: {count(len(cells), 'cell')} {'is' if len(cells) == 1 else 'are'} valid")
    return cells


def _crowded(grid: Grid, concurrent: int) -> Iterator[str]:
    """What to say if cells that run at once may need more cores or memory than there is."""
    wanted, ours = concurrent * grid.threads, cores.available()
    if concurrent > 1 and wanted > ours:
        yield f"{concurrent} cells at once want {wanted} cores, this process may use {ours}: --cores {ours}"
        concurrent = max(1, ours // grid.threads)
    if problem := _memory_problem(grid, concurrent):
        yield problem


def _memory_problem(grid: Grid, concurrent: int) -> str | None:
    if grid.device != "cpu" and (card := device_memory(grid.device)):
        return fitting.shared_problem(grid.cells, grid.share, card) if grid.share > 1 else None
    if grid.device == "cuda" or concurrent == 1:
        return None
    return fitting.crowd_problem(grid.cells, concurrent, memory.available())


def _check_recipes(grid: Grid, name: str, dataset: Dataset) -> None:
    """Raise ConfigError if a recipe cannot be used, or if two studies want other teachers of one dataset."""
    recipe = grid.recipes[name]
    for study in (study for study in grid.studies if name in map(str, study.datasets)):
        for pair in study.pairs:
            dataset.teachers.recipe_for(pair.teacher.network, recipe, partial(study.places.at, "recipe"))


def _validate_dataset(
    dataset: Dataset, name: str, cells: list[Cell], file: str, report: Callable[[str], object]
) -> None:
    evaluate.check(dataset)
    setups = {(c.study, c.label, c.pair): c for c in cells}
    for cell in setups.values():
        method_config(cell)
    for asked in sorted({network for cell in cells for network in (cell.teacher_network, cell.student_network)}):
        offer = check_features(asked, dataset.task)
        if asked not in networks.names():
            report(f"{file}: {asked}: {offer}")
    report(f"{file}: {name}: building every method on every pair, {len(setups)} in all")
    for cell in setups.values():
        _build(cell, dataset, file)
        if note := preset_note(cell):
            report(f"{file}: methods.{cell.label}.preset: {note}")
    _check_references(cells, dataset)
    for cell in {(c.study, c.label, c.pair): c for c in sorted(cells, key=_scale)}.values():
        if (available := device_memory(cell.device)) and (problem := fitting.memory_problem(cell, available)):
            report(f"{file}: {problem}")
    for cell in {(c.study, c.label, c.pair, c.scale): c for c in cells}.values():
        slots = dataset.task.images(cell.share)
        if (made := method_class(cell).most_images(method_config(cell), slots)) < slots:
            at = f"at scale {scale_text(cell.scale)}"
            report(f"{file}: methods.{cell.label}: {made} images for {slots} slots {at}: not filled")
    for scale in sorted({cell.scale for cell in cells}, reverse=True):
        if (images := dataset.task.images(scale / 100)) < FEW_IMAGES:
            report(f"{file}: scale {scale_text(scale)} leaves {images} images, fewer than {FEW_IMAGES}")


def _scale(cell: Cell) -> float:
    return cell.scale


def _build(cell: Cell, dataset: Dataset, file: str) -> None:
    """Raise UserError if the cell's method cannot be set up on its pair, with an untrained teacher and few images."""
    small = replace(cell, scale=min(cell.scale, SCALE))
    if shaped.can_be_built(small):
        return
    teacher = networks.for_task(cell.teacher_network, dataset.task)
    try:
        with inside_method():
            build_method(small, method_config(cell), dataset, teacher, torch.device("cpu"))
    except MethodFailed as error:
        raise UserError(f"{file}: methods.{cell.label} cannot work on {cell.pair}: {error}") from error


def _check_references(cells: list[Cell], dataset: Dataset) -> None:
    """References need the training data, of which windows can be cut without end; the others need none."""
    if any(method_prior(cell) is Prior.REAL_IMAGES for cell in cells):
        images = dataset.train().images
        if images.shape[1:] == dataset.task.shape and len(images) < dataset.task.reference_size:
            raise UserError(f"references need {dataset.task.reference_size} training images, there are {len(images)}")
