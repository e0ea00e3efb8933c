"""From a cell of the grid to a method that is ready to run."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import nn

import methods
from harness import networks
from harness.config import Cell, explain_options
from harness.data.dataset import Dataset, reference_images
from harness.errors import ConfigError, UserError
from harness.rng import Streams
from methods.base import Context, Method, MethodConfig, RealImages
from methods.parts.presets import Problem, UnknownPreset, resolve
from methods.parts.teacher import FrozenTeacher


def method_class(cell: Cell) -> type[Method]:
    """The class of the cell's method. Raises UserError if its file breaks the contract."""
    try:
        return methods.load(cell.method)
    except (methods.BrokenContract, TypeError) as error:
        raise UserError(f"methods.{cell.label}: {error}") from None


def method_config(cell: Cell, file: str = "configuration") -> MethodConfig:
    """The cell's complete method configuration. Raises ConfigError that names the key in ``file``."""
    cls = method_class(cell)
    where = f"{file}: methods.{cell.label}"
    try:
        return cls.configure(cell.defaults, cell.options, problem(cell))
    except UnknownPreset as error:
        raise ConfigError(f"{where}.preset", _with_owner(error, cell), cell.options["preset"], error.choices) from None
    except ValidationError as error:
        raise explain_options(where, error, cls.Config.model_fields) from None


def preset_note(cell: Cell) -> str | None:
    """Whose values the cell's preset has, where none were published for its dataset and pair."""
    cls = method_class(cell)
    return resolve(cls.name, cls.presets, cell.options.get("preset"), problem(cell)).note


def problem(cell: Cell) -> Problem:
    """What a preset's values may depend on."""
    return Problem(cell.dataset, cell.teacher, cell.student)


def _with_owner(error: UnknownPreset, cell: Cell) -> str:
    """The error, and which methods do have a preset of this name."""
    name = cell.options["preset"]
    owners = [method for method in methods.names() if method != cell.method and name in methods.load(method).presets]
    return f"{error}; it is one of {', '.join(owners)}" if owners and "no preset" in str(error) else str(error)


def build_method(
    cell: Cell, config: MethodConfig, dataset: Dataset, teacher: nn.Module, device: torch.device
) -> Method:
    """The cell's method with a fresh student.

    Args:
        cell: which method, student, scale and seed.
        config: from `method_config`, possibly changed.
        dataset: its training part is opened for references only.
        teacher: the trained teacher network, on ``device``.
        device: where everything lives.
    """
    cls = method_class(cell)
    streams = Streams(cell.seed, device)
    context = Context(
        task=dataset.task,
        teacher=FrozenTeacher(teacher),
        student=streams.build("student-init", lambda: build_network(cell.student, dataset)),
        scale=cell.scale / 100,
        device=device,
        generator=streams.generator,
        build=streams.build,
    )
    if not cls.data_free:
        real = reference_images(dataset, context.images)
        context = dataclasses.replace(context, real=RealImages(real.images.to(device), real.labels.to(device)))
    return cls(config, context)


def build_network(name: str, dataset: Dataset) -> nn.Module:
    """A fresh network for the dataset's classes and channels."""
    return networks.build(name, dataset.task.classes, dataset.task.shape[0])


def load_weights(network: nn.Module, path: Path) -> nn.Module:
    """Load safetensors into a network. Raises UserError if the file is damaged or does not fit."""
    from safetensors import SafetensorError
    from safetensors.torch import load_model

    try:
        load_model(network, path)
    except (SafetensorError, RuntimeError) as error:
        raise UserError(f"{path}: cannot be loaded: {error}") from None
    return network


def save_weights(network: nn.Module, path: Path) -> None:
    """Write a network's parameters and buffers as safetensors, atomically."""
    from safetensors.torch import save_model

    from harness.storage import write_with

    write_with(path, lambda temporary: save_model(network, str(temporary)))


def choose_device(wanted: str) -> torch.device:
    """``auto`` is the first visible GPU if there is one. Raises UserError for ``cuda`` without one."""
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise UserError(
            "device: cuda, but torch sees no GPU; `dkd doctor` says what is there, `device: auto` falls back"
        )
    return torch.device("cuda" if available and wanted != "cpu" else "cpu")


def describe_config(config: MethodConfig) -> dict[str, Any]:
    """Every value of a configuration, for the manifest."""
    return config.model_dump(mode="json")
