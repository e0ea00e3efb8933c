"""CPNet's generator: the teacher turned round, so that the activations of both can be held against each other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from methods.parts.nodes import Node
from methods.parts.upsampling import UpsampledConvolution


class CoupledGenerator(nn.Module):
    """Codes [B, nz] to images [B, C, H, W] in [0, 1], through maps of the shapes of the teacher's nodes.

    A linear layer and batch norm make the deepest; from each to the next nearest upsampling, if it is larger, a 3×3
    convolution, batch norm and LeakyReLU; to the image a convolution and a sigmoid. LannCX/CPNet,
    datafree/models/generator.py.
    """

    def __init__(self, nz: int, nodes: Sequence[Node], image: tuple[int, int, int]) -> None:
        super().__init__()
        shapes = [node.shape for node in nodes]
        self.start = shapes[0]
        self.linear = nn.Linear(nz, self.start[0] * self.start[1] * self.start[2])
        self.first_norm = nn.BatchNorm2d(self.start[0])
        self.stages = nn.ModuleList(
            nn.Sequential(*_convolution(before, after, bias=False), nn.BatchNorm2d(after[0]), nn.LeakyReLU(0.2))
            for before, after in itertools.pairwise(shapes)
        )
        self.to_image = nn.Sequential(*_convolution(shapes[-1], image, bias=True), nn.Sigmoid())

    def forward(self, z: Tensor) -> tuple[Tensor, list[Tensor]]:
        """The images, and the map that stands for each node, the deepest first."""
        start = self.linear(z).unflatten(1, self.start).contiguous(memory_format=torch.channels_last)
        maps = [self.first_norm(start)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return self.to_image(maps[-1]), maps


def _convolution(before: tuple[int, ...], after: tuple[int, ...], bias: bool) -> list[nn.Module]:
    """Layers from maps of one shape (C, H, W) to those of another."""
    if after[1:] == (2 * before[1], 2 * before[2]):
        return [UpsampledConvolution(before[0], after[0], bias=bias)]
    convolution = nn.Conv2d(before[0], after[0], 3, padding=1, bias=bias)
    return [convolution] if after[1:] == before[1:] else [nn.Upsample(size=after[1:]), convolution]
