"""A generator with two parameters, so that its training can be followed by hand."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from methods.base.task import Task


class Toy(nn.Module):
    """sigmoid(a · z B + b), B fixed."""

    def __init__(self, task: Task, nz: int, width: int = 0) -> None:
        super().__init__()
        self.shape = task.shape
        random = torch.Generator().manual_seed(11)
        size = task.shape[0] * task.shape[1] * task.shape[2]
        self.register_buffer("basis", torch.randn(nz, size, generator=random))
        self.a, self.b = nn.Parameter(torch.tensor(0.8)), nn.Parameter(torch.tensor(0.1))

    def forward(self, z: Tensor) -> Tensor:
        return images(z, self.a, self.b, self)


def images(z: Tensor, a: Tensor, b: Tensor, toy: Any) -> Tensor:
    """What a toy with parameters ``a`` and ``b`` makes of ``z``."""
    return (a * (z @ toy.basis) + b).sigmoid().view(len(z), *toy.shape)
