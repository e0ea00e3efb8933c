"""Random crop and flip as one gather, for a batch in which every image has its own view."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Views:
    """All crops and mirror images that padding by ``pad`` pixels allows: (2 · pad + 1)², twice that with ``flip``."""

    height: int
    width: int
    pad: int
    flip: bool

    @property
    def count(self) -> int:
        """How many views an image has; 162 for CIFAR (pad 4, flip)."""
        return (2 * self.pad + 1) ** 2 * (2 if self.flip else 1)

    def draw(self, n: int, generator: torch.Generator) -> Tensor:
        """Numbers of ``n`` views, uniform and independent: int64 [n]."""
        return torch.randint(self.count, (n,), generator=generator, device=generator.device)

    def take(self, padded: Tensor, view: Tensor) -> Tensor:
        """Image i of ``padded`` [B, C, H + 2 pad, W + 2 pad] in its view i of ``view`` [B]: [B, C, H, W]."""
        index = self._pixels(view).unsqueeze(1).expand(-1, padded.shape[1], -1)
        return padded.flatten(2).gather(2, index).view(len(view), -1, self.height, self.width)

    def augment(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Zero-pad images [B, C, H, W] and take a random view of each; differentiable."""
        return self.take(F.pad(images, [self.pad] * 4), self.draw(len(images), generator))

    def _pixels(self, view: Tensor) -> Tensor:
        """Flat positions in the padded image of the view's pixels: int64 [B, H · W]."""
        side = 2 * self.pad + 1
        offset, mirrored = view % side**2, (view // side**2).bool()
        columns = torch.arange(self.width, device=view.device)
        columns = torch.where(mirrored[:, None], columns.flip(0), columns)
        rows = torch.arange(self.height, device=view.device) + (offset // side)[:, None]
        columns = columns + (offset % side)[:, None]
        return (rows[:, :, None] * (self.width + 2 * self.pad) + columns[:, None, :]).flatten(1)
