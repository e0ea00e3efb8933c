"""Steps of an optimizer from gradients that `torch.autograd.grad` returned, so that nothing else collects any."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn


def apply_gradients(
    optimizer: torch.optim.Optimizer,
    parameters: Sequence[Tensor],
    gradients: Sequence[Tensor],
    largest_norm: float | None = None,
) -> None:
    """One step of ``optimizer`` on ``parameters``, the norm of all gradients together limited if a limit is given."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    if largest_norm is not None:
        nn.utils.clip_grad_norm_(parameters, largest_norm)
    optimizer.step()


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameter groups."""
    for group in optimizer.param_groups:
        group["lr"] = rate
