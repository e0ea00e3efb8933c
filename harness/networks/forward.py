"""Whether a network answers a task's images as the task asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from harness.errors import UserError, describe
from harness.networks import file, for_task, source

if TYPE_CHECKING:
    from methods.base.task import Task


TRIED = 2
"""Images of the forward pass that asks for features: one would not tell images from features."""


@torch.no_grad()
def check_features(name: str, task: Task) -> str:
    """What a network has for methods, in words; raises UserError unless it gives logits, features and stages."""
    network = for_task(name, task)
    check_answer(network, name, task)
    contract = "docs/bring-a-network.md says what forward(x, return_features=True) returns"
    try:
        answer = network.eval()(torch.zeros(TRIED, *task.shape), return_features=True)
    except Exception as error:
        raise UserError(f"{file(name) or source(name)}: {name}: {describe(error)}\n  {contract}") from error
    if problem := _problem(answer, task):
        raise UserError(f"{file(name) or source(name)}: {name}: return_features=True gives {problem}\n  {contract}")
    return _offer(network, answer[1], answer[2])


def _offer(network: nn.Module, features: torch.Tensor, stages: tuple[torch.Tensor, ...]) -> str:
    layers = sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    without = "no batch norm, so no method can match its statistics"
    shapes = ", ".join(_text(stage.shape[1:]).replace(" ", "") for stage in stages)
    return f"{layers or without}{' batch-norm layers' * bool(layers)}; features {features.shape[1]}; stages {shapes}"


def _problem(answer: object, task: Task) -> str | None:
    """What is wrong with logits, features and stages; None if nothing is."""
    if not (isinstance(answer, tuple) and len(answer) in (3, 4)):
        return f"{type(answer).__name__}, not a tuple of logits, features and stages"
    logits, features, stages, *unpooled = answer
    wanted = [TRIED, task.classes, *(task.shape[1:] if task.dense else ())]
    if _shape(logits) != wanted:
        return f"logits of shape {_shape(logits)}, expected {wanted}"
    if (shape := _shape(features)) is None or len(shape) != len(wanted) or shape[0] != TRIED:
        return f"features of shape {shape}, expected [{TRIED}, F{', h, w' if task.dense else ''}]"
    shapes = [_shape(stage) for stage in stages] if isinstance(stages, tuple) else None
    if not shapes or any(shape is None or len(shape) != 4 or shape[0] != TRIED for shape in shapes):
        return f"stages of shapes {shapes}, expected a tuple of [{TRIED}, C, H, W]"
    if unpooled and (len(last := _shape(unpooled[0]) or []) != 4 or last[:2] != [TRIED, features.shape[1]]):
        return f"a fourth thing of shape {last}, expected the map of the features [{TRIED}, {features.shape[1]}, h, w]"
    return None


def _shape(value: object) -> list[int] | None:
    """None for what is no tensor."""
    return list(value.shape) if isinstance(value, torch.Tensor) else None


@torch.no_grad()
def check_answer(network: nn.Module, name: str, task: Task) -> None:
    """Raise UserError unless the network gives the logits of a task's images; tried on one that is black."""
    size = task.shape[1:] if task.dense else ()
    wanted = (1, task.classes, *size)
    try:
        logits = network.eval()(torch.zeros(1, *task.shape))
    except Exception as error:
        raise UserError(f"{name}: cannot take images of {_text(task.shape)}: {describe(error)}") from error
    if not isinstance(logits, torch.Tensor):
        raise UserError(f"{name}: answers an image with {type(logits).__name__}, not with a tensor of logits")
    if tuple(logits.shape) != wanted:
        kind = "a class for every pixel" if task.dense else "one class for an image"
        raise UserError(
            f"{name}: answers an image with {_text(logits.shape[1:])} numbers; {kind} needs {_text(wanted[1:])}"
        )


def _text(shape: tuple[int, ...]) -> str:
    return " × ".join(str(size) for size in shape)
