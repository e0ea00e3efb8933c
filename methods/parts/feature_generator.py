"""A generator that shows the maps between its layers, and goes on from such maps in place of a latent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from methods.base.task import Task
from methods.parts.generators import Generator


@dataclass(frozen=True)
class Entry:
    """Where a pass begins that takes no latent. It is the same operations at whichever depth it begins."""

    maps: Sequence[Tensor]
    """One [B, C, H, W] for every depth; all but one are passed over."""
    depth: Tensor
    """0-dim int64, on the device: which of them images are made of."""


class FeatureGenerator(nn.Module):
    """CMI's `Generator`, with its three maps: of the first batch norm, and of the two LeakyReLUs.

    SpaceshipNet, networks/cmi_generator_DG.py. Of 3 × 32 × 32 images at width 128 they have 128 × 8², 128 × 16² and
    64 × 32² numbers: 106,496.
    """

    def __init__(self, task: Task, nz: int, width: int) -> None:
        super().__init__()
        self.generator = Generator(task, nz, width)
        channels, height, across = self.generator.start
        self.shapes = [(channels, height, across), (width, 2 * height, 2 * across), (width // 2, *task.shape[1:])]
        """Of each map of one image, the first one first."""

    def forward(self, start: Tensor | Entry) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Images [B, C, H, W] in [0, 1], and the maps [B, C', H', W'] that the layers were given on the way to them.

        Args:
            start: latents [B, nz], or maps to go on from.
        """
        body = self.generator.body
        maps = [start.maps[0] if isinstance(start, Entry) else self.generator.first_map(start)]
        for depth, layers in enumerate((body[:3], body[3:6]), 1):
            made = layers(maps[-1])
            maps.append(_entered(made, start, depth) if isinstance(start, Entry) else made)
        return body[6:](maps[-1]), tuple(maps)


def _entered(made: Tensor, entry: Entry, depth: int) -> Tensor:
    """What comes after the layers before ``depth``: their own answer, or what shall be in place of it."""
    given = entry.maps[depth]
    return torch.where(entry.depth == depth, given, made.to(given.dtype))
