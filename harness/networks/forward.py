"""Whether a network answers a task's images as the task asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from harness.errors import UserError

if TYPE_CHECKING:
    from torch import nn

    from methods.base.task import Task


@torch.no_grad()
def check_answer(network: nn.Module, name: str, task: Task) -> None:
    """Raise UserError unless the network gives the logits of a task's images; tried on one that is black."""
    size = task.shape[1:] if task.dense else ()
    wanted = (1, task.classes, *size)
    try:
        logits = network.eval()(torch.zeros(1, *task.shape))
    except RuntimeError as error:
        raise UserError(f"{name}: cannot take images of {_text(task.shape)}: {str(error).splitlines()[0]}") from None
    if tuple(logits.shape) != wanted:
        kind = "a class for every pixel" if task.dense else "one class for an image"
        raise UserError(
            f"{name}: answers an image with {_text(logits.shape[1:])} numbers; {kind} needs {_text(wanted[1:])}"
        )


def _text(shape: tuple[int, ...]) -> str:
    return " × ".join(str(size) for size in shape)
