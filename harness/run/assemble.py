"""From a cell of the grid to a method that is ready to run."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Container

import torch
from pydantic import ValidationError
from torch import nn

import methods
from harness import networks
from harness.data.dataset import Dataset, reference_images
from harness.engine import graphs
from harness.engine.failures import MethodFailed, inside_method
from harness.engine.lowered import lowered
from harness.engine.precision import possible
from harness.engine.randomness import Streams
from harness.errors import ConfigError, UserError, clean
from harness.explain import explain
from harness.grid.cell import Cell
from harness.machine.devices import choose_device, device_name
from methods.base.method import Context, Method, MethodConfig
from methods.base.presets import Problem, UnknownPreset, resolve
from methods.base.prior import Prior
from methods.base.schedule import Schedule
from methods.base.task import RealImages
from methods.base.teacher import FrozenTeacher


def method_class(cell: Cell) -> type[Method]:
    """The class of the cell's method. Raises UserError if its file breaks the contract."""
    try:
        return methods.load(cell.method_source)
    except (methods.BrokenContract, TypeError) as error:
        raise UserError(f"methods.{cell.label}: {clean(str(error))}") from None


def method_config(cell: Cell, loaded: type[Method] | None = None) -> MethodConfig:
    """The cell's complete method configuration; its class need not be loaded twice.

    Raises ConfigError that names file, line and key.
    """
    cls = loaded or method_class(cell)
    at = functools.partial(cell.places.at, "methods", cell.label)
    try:
        return cls.configure(cell.preset, cell.budget.options, cell.options, problem(cell))
    except UnknownPreset as error:
        told = f"{error}{_owners(cell, cls)}{_elsewhere(error, cls, cell.preset)}"
        raise ConfigError(at("preset"), told, cell.preset, error.choices) from None
    except ValidationError as error:
        key = next(iter(error.errors()[0]["loc"]), None)  # none, where two values do not go together
        shared = key in cell.budget.options and key not in cell.options
        raise explain(error, functools.partial(_in_budget, cell) if shared else at, cls.Config.model_fields) from None


def _in_budget(cell: Cell, *path: str | int) -> str:
    return f"{cell.places.at('budget', *path)}, for methods.{cell.label}"


def method_prior(cell: Cell) -> Prior:
    """What the cell's method uses beyond the teacher. Raises UserError if it does not say so."""
    try:
        with inside_method():
            return Prior(method_class(cell).prior(method_config(cell)))
    except MethodFailed as error:
        raise UserError(f"methods.{cell.label}: prior: {error}; known: {', '.join(Prior)}") from None


def cell_device(cell: Cell) -> torch.device:
    """What the cell runs on here.

    Raises UserError if there is no such device, or where it cannot do what the cell wants.
    """
    device = choose_device(cell.device)
    if cell.precision not in (can := possible(device)):
        problem = f"{cell.precision}: {device_name(device)} cannot calculate so"
        raise ConfigError(cell.places.at("precision"), problem, cell.precision, can)
    if cell.graphs:
        graphs.require(device)
    return device


def preset_note(cell: Cell) -> str | None:
    """Whose values the cell's preset has, where none were published for its dataset and pair."""
    cls = method_class(cell)
    return resolve(cls.name, cls.presets, cell.preset, problem(cell)).note


def problem(cell: Cell) -> Problem:
    """What a preset's values may depend on."""
    return Problem(cell.dataset, cell.pair.networks)


def _owners(cell: Cell, cls: type[Method]) -> str:
    """Which methods have the cell's preset, if its own has none of this name."""
    if cell.preset in cls.presets:
        return ""
    owners = [method for method in methods.names() if method != cell.method and cell.preset in _presets(method)]
    return f"; it is one of {', '.join(owners)}" if owners else ""


def _elsewhere(error: UnknownPreset, cls: type[Method], asked: str | None) -> str:
    """The method's other presets, which have no values for this dataset and pair."""
    others = [name for name in cls.presets if name not in (*error.choices, asked)]
    return f"; for other datasets and pairs: {', '.join(others)}" if others else ""


def _presets(method: str) -> Container[str]:
    """None of a method whose file is broken: it shall not hide what is wrong with another."""
    try:
        return methods.load(method).presets
    except (methods.BrokenContract, TypeError):
        return ()


def build_method(
    cell: Cell, config: MethodConfig, dataset: Dataset, teacher: nn.Module, device: torch.device, memory: int = 0
) -> Method:
    """The cell's method with a fresh student.

    Args:
        cell: which method, student, scale and seed.
        config: from `method_config`, possibly changed.
        dataset: its training part is opened for references only.
        teacher: the trained teacher network, on ``device``.
        device: where everything lives.
        memory: bytes that there are; with 0 the method remembers nothing that it can find again.
    """
    cls = method_class(cell)
    streams = Streams(cell.seed, device, cell.precision)
    context = Context(
        task=dataset.task,
        teacher=FrozenTeacher(lowered(teacher, device) if cell.precision == "bf16" else teacher),
        student=streams.build("student-init", lambda: networks.for_task(cell.student_network, dataset.task)),
        scale=cell.share,
        device=device,
        random=streams.random,
        build=streams.build,
        memory=memory,
    )
    if cls.prior(config) is Prior.REAL_IMAGES:
        real = reference_images(dataset, context.images)
        context = dataclasses.replace(context, real=RealImages(real.images.to(device), real.labels.to(device)))
    return scheduled(cls(config, context))


def steps_for(given: int, scale: float) -> int:
    """The ``steps`` of a configuration that leave ``given`` distillation steps at ``scale`` percent, or a few more."""
    return math.ceil(given * 100 / scale)


def scheduled(method: Method) -> Method:
    """The method, whose constructor must have set its schedule. Raises TypeError if it did not."""
    if not isinstance(getattr(method, "schedule", None), Schedule):
        raise TypeError(f"{type(method).__name__} sets no schedule in its constructor")
    return method
