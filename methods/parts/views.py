"""Random crop and flip as one gather, and random resized crop, for batches in which every image has its own view."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from methods.base.task import Task


@dataclass(frozen=True)
class Views:
    """All crops and mirror images that padding by ``pad`` pixels allows: (2 · pad + 1)², twice that with ``flip``."""

    height: int
    width: int
    pad: int
    flip: bool

    @classmethod
    def of(cls, task: Task) -> Views:
        """The views that a task's augmentation allows."""
        return cls(task.shape[1], task.shape[2], task.pad, task.flip)

    @property
    def count(self) -> int:
        """How many views an image has; 162 for CIFAR (pad 4, flip)."""
        return (2 * self.pad + 1) ** 2 * (2 if self.flip else 1)

    def draw(self, n: int, random: torch.Generator) -> Tensor:
        """Numbers of ``n`` views, uniform and independent: int64 [n]."""
        return torch.randint(self.count, (n,), generator=random, device=random.device)

    def take(self, padded: Tensor, view: Tensor) -> Tensor:
        """Image i of ``padded`` [B, C, H + 2 pad, W + 2 pad] in its view i of ``view`` [B]: [B, C, H, W].

        They come in channels_last.
        """
        pixels = padded.permute(0, 2, 3, 1).flatten(1, 2)
        taken = pixels.gather(1, self._pixels(view).unsqueeze(2).expand(-1, -1, pixels.shape[2]))
        return taken.view(len(view), self.height, self.width, -1).permute(0, 3, 1, 2)

    def augment(self, images: Tensor, random: torch.Generator) -> Tensor:
        """Zero-pad images [B, C, H, W] and take a random view of each; differentiable."""
        return self.take(F.pad(images, [self.pad] * 4), self.draw(len(images), random))

    def _pixels(self, view: Tensor) -> Tensor:
        """Flat positions in the padded image of the view's pixels: int64 [B, H · W]."""
        side = 2 * self.pad + 1
        offset, mirrored = view % side**2, (view // side**2).bool()
        columns = torch.arange(self.width, device=view.device)
        columns = torch.where(mirrored[:, None], columns.flip(0), columns)
        rows = torch.arange(self.height, device=view.device) + (offset // side)[:, None]
        columns = columns + (offset % side)[:, None]
        return (rows[:, :, None] * (self.width + 2 * self.pad) + columns[:, None, :]).flatten(1)


@dataclass(frozen=True)
class ResizedCrops:
    """Random parts of an image, resized to its size, every image its own: CMI's local view.

    Area between a quarter and all of the image, aspect ratio between 3/4 and 4/3, both as kornia 0.6.8 draws them: the
    first of ten candidates that is smaller than the image on both sides, or else the whole image. Bilinear with aligned
    corners, without antialiasing. Mirrored with probability 1/2 where ``flip``.
    """

    height: int
    width: int
    flip: bool

    def augment(self, images: Tensor, random: torch.Generator) -> Tensor:
        """A random part of each of the images [B, C, H, W]; differentiable."""
        return self.take(images, *self.draw(len(images), random))

    def draw(self, n: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """``n`` boxes in whole pixels, int64 [n, 4]: top, left, height, width; and which are mirrored, bool [n]."""

        def uniform(*shape: int) -> Tensor:
            return torch.rand(shape, generator=random, device=random.device)

        area = (0.25 + 0.75 * uniform(n, 10)) * self.height * self.width
        ratio = ((2 * uniform(n, 10) - 1) * math.log(4 / 3)).exp()
        heights, widths = ((area / ratio).sqrt().round().long(), (area * ratio).sqrt().round().long())
        fits = (heights < self.height) & (widths < self.width)
        first, none = fits.to(torch.uint8).argmax(dim=1, keepdim=True), ~fits.any(dim=1)
        height = heights.gather(1, first).squeeze(1).masked_fill(none, self.height)
        width = widths.gather(1, first).squeeze(1).masked_fill(none, self.width)
        room = torch.stack([self.height - height, self.width - width], dim=1)
        # a number just below 1 can round up to the corner after the last
        corner = (uniform(n, 2) * (room + 1)).long().minimum(room)
        mirrored = uniform(n) < 0.5 if self.flip else torch.zeros(n, dtype=torch.bool, device=room.device)
        return torch.cat([corner, height[:, None], width[:, None]], dim=1), mirrored

    def take(self, images: Tensor, boxes: Tensor, mirrored: Tensor) -> Tensor:
        """Part i of image i, for boxes [B, 4] and mirrored [B] as `draw` returns them: [B, C, H, W]."""
        top, left, height, width = (column[:, None].to(images.dtype) for column in boxes.unbind(dim=1))
        rows = top + torch.linspace(0, 1, self.height, device=images.device, dtype=images.dtype) * (height - 1)
        across = torch.linspace(0, 1, self.width, device=images.device, dtype=images.dtype)
        columns = left + torch.where(mirrored[:, None], across.flip(0), across) * (width - 1)
        # two products in place of F.grid_sample, whose gradient a GPU adds up in another order every time
        return _interpolation(rows, self.height) @ images @ _interpolation(columns, self.width).mT


def _interpolation(positions: Tensor, count: int) -> Tensor:
    """Weights of ``count`` pixels that interpolate linearly at ``positions`` [B, n] between them: [B, 1, n, count]."""
    pixels = torch.arange(count, device=positions.device, dtype=positions.dtype)
    return (1 - (positions[:, None, :, None] - pixels).abs()).clamp_min(0)


def random_windows(
    images: Tensor, labels: Tensor, size: tuple[int, int], flip: bool, random: torch.Generator
) -> tuple[Tensor, Tensor]:
    """A random window of every image and its labels, mirrored with probability 1/2 where ``flip``.

    Args:
        images: [B, C, H, W].
        labels: [B, H, W].
        size: height and width of the windows.
        flip: whether to mirror.
        random: on the images' device.
    """
    height, width = size
    limits = torch.tensor([images.shape[2] - height, images.shape[3] - width], device=images.device)
    drawn = torch.rand(len(images), 3, generator=random, device=images.device)
    corner = (drawn[:, :2] * (limits + 1)).long().minimum(limits)
    rows = corner[:, :1] + torch.arange(height, device=images.device)
    across = torch.arange(width, device=images.device)
    mirrored = (drawn[:, 2:] < 0.5) & flip
    columns = corner[:, 1:] + torch.where(mirrored, across.flip(0), across)
    sample = torch.arange(len(images), device=images.device)[:, None, None]
    picked = sample, rows[:, :, None], columns[:, None, :]
    return images.permute(0, 2, 3, 1)[picked].permute(0, 3, 1, 2), labels[picked]
