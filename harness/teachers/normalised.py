"""The one place that converts inputs for a teacher which learned with other means and deviations than the task's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from harness.store.records import Normalisation
from methods.base.task import Task


class Normalised(nn.Module):
    """A network behind the map from the task's normalisation to its own: per channel x ↦ x · σ / σ' + (μ - μ') / σ'.

    Args:
        network: that takes (image - μ') / σ'.
        task: μ and σ, with which inputs come.
        own: μ' and σ'.
    """

    def __init__(self, network: nn.Module, task: Task, own: Normalisation) -> None:
        super().__init__()
        self.network = network
        mean, std, own_mean, own_std = (_channels(values) for values in (task.mean, task.std, own.mean, own.std))
        self.scale: Tensor
        self.shift: Tensor
        # Not the network's weights: whoever saves these shall find them alone.
        self.register_buffer("scale", (std / own_std).to(torch.get_default_dtype()), persistent=False)
        self.register_buffer("shift", ((mean - own_mean) / own_std).to(torch.get_default_dtype()), persistent=False)

    def forward(self, x: Tensor, **asked: Any) -> Any:
        """What the network says to inputs ``x`` [B, C, H, W] in the task's normalisation; ``asked`` is passed on."""
        return self.network(torch.addcmul(self.shift, x, self.scale), **asked)


def normalised(network: nn.Module, task: Task, own: Normalisation | None) -> nn.Module:
    """``network`` as it takes the task's inputs; itself, if it learned with the task's normalisation (None)."""
    return network if own is None else Normalised(network, task, own)


def _channels(values: tuple[float, ...] | list[float]) -> Tensor:
    """[C] in double precision to [1, C, 1, 1]."""
    return torch.tensor(values, dtype=torch.float64)[None, :, None, None]
