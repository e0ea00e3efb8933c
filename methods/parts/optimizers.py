"""Optimizers whose learning rate is a number on the device: it moves, and a step stays the same operations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


def optimizer(
    kind: type[torch.optim.Optimizer], parameters: Iterable[Tensor], lr: float, *, fixed: bool = False, **options: Any
) -> torch.optim.Optimizer:
    """An optimizer in one kernel for all parameters, which lie on one device, and with nothing to read on the host.

    Args:
        kind: SGD, Adam or AdamW of `torch.optim`: those that have such a kernel.
        parameters: tensors [...] that need a gradient.
        lr: the learning rate at the start; `set_learning_rate` moves it.
        fixed: whether the rate stays, as a number of Python's: for an optimizer that is made in `synthesise`, where a
            rate on the device would be read.
        options: those of its class.
    """
    weights = list(parameters)
    place = weights[0].device
    if place.type == "meta":  # shapes alone are asked for, and there are no kernels
        return kind(weights, lr=lr, **options)  # type: ignore[call-arg]
    if place.type != "cpu" and kind is not torch.optim.SGD:
        options["capturable"] = True  # counts its steps on the device, also while a graph is recorded
    rate = lr if fixed else torch.full((), lr, device=place)
    return kind(weights, lr=rate, fused=True, **options)  # type: ignore[call-arg]


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameter groups, in place where it is a number on the device."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate
