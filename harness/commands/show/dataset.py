"""A dataset: its task, its files, how its teachers are trained. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator

from harness import data
from harness.commands.output import Line, columns
from harness.commands.show import names, words
from harness.data import catalogue
from harness.data.dataset import Dataset
from harness.errors import UserError
from methods.base.task import Task


def describe(name: str) -> Iterator[Line]:
    """All about a dataset."""
    dataset = data.load(name)
    yield f"dataset {name}"
    yield columns([("what", names.dataset(name)), *_task(dataset.task), *_files(name, dataset)], 2)
    yield "teachers"
    yield columns(_teachers(dataset), indent=2)


def _task(task: Task) -> Iterator[tuple[str, str]]:
    channels, height, width = task.shape
    yield "images", f"{channels} × {height} × {width} (channels, height, width)"
    yield "classes", f"{task.classes}{', of every pixel' if task.dense else ''}"
    yield "class names", ", ".join(task.class_names)
    yield "normalisation", f"mean {words.value(task.mean)}, deviation {words.value(task.std)}, of images in [0, 1]"
    crop = f"random crops within a border of zeros, {task.pad} wide" if task.pad else "no crops"
    yield "augmentation", f"{crop}, {'mirrored at random' if task.flip else 'not mirrored'}"
    yield "reference size", f"{task.reference_size:,} images are 100 %"


def _files(name: str, dataset: Dataset) -> Iterator[tuple[str, str]]:
    yield "code", f"harness/data/{data.source(name).name}"
    places = [str(data.folder() / place) for place in catalogue.places(name)]
    yield "files", " or ".join(places) if places else "come with the bench"
    try:
        dataset.require()
    except UserError as error:
        yield "state", f"cannot be used: {'; '.join(map(str.strip, str(error).splitlines()))}"
    else:
        yield "state", "here, with the official checksums" if dataset.verified else "here; no official checksums exist"


def _teachers(dataset: Dataset) -> Iterator[tuple[str, str]]:
    recipe = dataset.teachers.recipe
    yield "recipe", words.options(recipe.model_dump(exclude_none=True))
    for network, metric in dataset.teachers.published.items():
        yield network, f"{metric:.2f} % published, at least {metric - dataset.teachers.below:.2f} % wanted"
