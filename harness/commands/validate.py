"""`dkd validate`: checks a whole grid before anything trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from harness import data, networks
from harness.data.dataset import Dataset
from harness.engine import evaluate
from harness.engine.failures import MethodFailed, inside_method
from harness.errors import ConfigError, UserError
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
        for note in _validate_dataset(dataset, name, mine):
            report(f"{path.name}: {note}")
    for problem in _crowded(grid, min(concurrent, len(cells))):
        report(f"{path.name}: {problem}")
    report(f"{path.name}: {count(len(cells), 'cell')} {'is' if len(cells) == 1 else 'are'} valid")
    return cells


def _crowded(grid: Grid, concurrent: int) -> Iterator[str]:
    """What to say if cells that run at once may need more cores or memory than there is."""
    wanted, ours = concurrent * grid.threads, cores.available()
    if concurrent > 1 and wanted > ours:
        yield f"{concurrent} cells at once want {wanted} cores, there are {ours} to use: type snakemake --cores {ours}"
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
            made = dataset.teachers.recipe_for(pair.teacher.network, recipe, partial(study.places.at, "recipe"))
            if "images" in recipe and made.images and made.images > (there := len(dataset.train().images)):
                raise ConfigError(study.places.at("recipe", "images"), f"{made.images}: {name} has {there} to train on")


def _validate_dataset(dataset: Dataset, name: str, cells: Sequence[Cell]) -> Iterator[str]:
    """What a person should know of a dataset's cells, in the order of the work. Raises UserError at a problem."""
    evaluate.check(dataset)
    setups = list({(c.study, c.label, c.pair): c for c in cells}.values())
    for cell in setups:
        method_config(cell)
    yield from _offers(cells, dataset)
    _check_references(cells, dataset)
    yield f"{name}: building every method on every pair, {len(setups)} in all"
    yield from _built(setups, dataset)
    yield from _memory(cells)
    yield from _unfilled(cells, dataset)
    yield from _few(cells, dataset)


def _offers(cells: Iterable[Cell], dataset: Dataset) -> Iterator[str]:
    """What networks that are not ours can give to methods."""
    for asked in sorted({network for cell in cells for network in (cell.teacher_network, cell.student_network)}):
        offer = check_features(asked, dataset.task)
        if asked not in networks.names():
            yield f"{asked}: {offer}"


def _built(setups: Iterable[Cell], dataset: Dataset) -> Iterator[str]:
    """Presets whose values are another pair's, after each method was built."""
    for cell in setups:
        _build(cell, dataset)
        if note := preset_note(cell):
            yield f"methods.{cell.label}.preset: {note}"


def _memory(cells: Iterable[Cell]) -> Iterator[str]:
    """Which cells seem too large for their device, by the largest scale of each."""
    largest = {(c.study, c.label, c.pair): c for c in sorted(cells, key=lambda cell: cell.scale)}
    for cell in largest.values():
        if (available := device_memory(cell.device)) and (problem := fitting.memory_problem(cell, available)):
            yield problem


def _unfilled(cells: Iterable[Cell], dataset: Dataset) -> Iterator[str]:
    """Which pools and buffers are never full."""
    for cell in {(c.study, c.label, c.pair, c.scale): c for c in cells}.values():
        slots = dataset.task.images(cell.share)
        if (made := method_class(cell).most_images(method_config(cell), slots)) < slots:
            at = f"at scale {scale_text(cell.scale)}"
            yield f"methods.{cell.label}: {made} images for {slots} slots {at}: not filled"


def _few(cells: Iterable[Cell], dataset: Dataset) -> Iterator[str]:
    """Which scales say more about the protocol than about methods."""
    for scale in sorted({cell.scale for cell in cells}, reverse=True):
        if (images := dataset.task.images(scale / 100)) < FEW_IMAGES:
            yield f"scale {scale_text(scale)} leaves {count(images, 'image')}, fewer than {FEW_IMAGES}"


def _build(cell: Cell, dataset: Dataset) -> None:
    """Raise UserError if the cell's method cannot be set up on its pair, with an untrained teacher and few images."""
    small = replace(cell, scale=min(cell.scale, SCALE))
    if shaped.can_be_built(small):
        return
    teacher = networks.for_task(cell.teacher_network, dataset.task)
    try:
        with inside_method():
            build_method(small, method_config(cell), dataset, teacher, torch.device("cpu"))
    except MethodFailed as error:
        raise UserError(f"{cell.places.at('methods', cell.label)} cannot work on {cell.pair}: {error}") from error


def _check_references(cells: Iterable[Cell], dataset: Dataset) -> None:
    """References need the training data, of which windows can be cut without end; the others need none."""
    if asking := sorted({cell.label for cell in cells if method_prior(cell) is Prior.REAL_IMAGES}):
        images, size = dataset.train().images, dataset.task.reference_size
        if images.shape[1:] == dataset.task.shape and len(images) < size:
            wanted = f"{', '.join(asking)}: references need {size} training images, there are {len(images)}"
            raise UserError(f"{wanted}: leave them out, or give a reference_size that is right")
