"""The one place that converts inputs for a teacher which learned with other means and deviations than the task's."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from harness.store.records import Normalisation
from methods.base.task import Task


class Conversion:
    """From the task's normalisation to a network's own, per channel: x ↦ x · σ / σ' + (μ - μ') / σ'.

    Called by the network before every pass: a module around it would change the names of its layers, which methods use.

    Args:
        task: μ and σ, with which inputs come.
        own: μ' and σ'.
        device: of the network.
    """

    def __init__(self, task: Task, own: Normalisation, device: torch.device) -> None:
        mean, std, own_mean, own_std = (
            torch.tensor(values, dtype=torch.float64)[:, None, None]
            for values in (task.mean, task.std, own.mean, own.std)
        )
        self.scale = (std / own_std).to(device, torch.get_default_dtype())
        self.shift = ((mean - own_mean) / own_std).to(device, torch.get_default_dtype())

    def __call__(self, _: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        """The inputs [B, C, H, W] that the network gets."""
        return torch.addcmul(self.shift, inputs[0], self.scale)


def normalised(network: nn.Module, task: Task, own: Normalisation | None) -> nn.Module:
    """A copy of ``network`` that takes the task's inputs; itself, if it learned with these (None)."""
    if own is None:
        return network
    made = copy.deepcopy(network)
    made.register_forward_pre_hook(Conversion(task, own, next(network.parameters()).device))
    return made
