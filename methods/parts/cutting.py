"""Rectangles cut out of images, every image its own: filled with another image, or with nothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Mixed:
    """A batch in which a rectangle of some images comes from another one of the batch."""

    images: Tensor
    """[B, C, H, W]."""
    partner: Tensor
    """Which image each rectangle comes from: int64 [B], a permutation."""
    share: Tensor
    """Area of the rectangle as a share of the image, 0 where there is none: [B]."""


def cut_mix(images: Tensor, random: torch.Generator, probability: float = 0.5) -> Mixed:
    """Images [B, C, H, W] that get a rectangle of a partner at random; differentiable. CutMix, Yun et al., ICCV 2019.

    As kornia's RandomCutMixV2, which CPNet uses: the batch is touched with ``probability``, then every image again; the
    sides are √u of the image's, u uniform, so that the mean area is a half; all corners of a batch come from one draw.
    """
    count, _, height, width = images.shape

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=random, device=random.device)

    partner = torch.randperm(count, generator=random, device=random.device)
    touched = (uniform(1) < probability) & (uniform(count) < probability)
    scale = (1 - uniform(count)).sqrt() * touched
    sides = torch.stack([scale * height, scale * width], dim=1).long()
    room = torch.stack([height - sides[:, 0], width - sides[:, 1]], dim=1)
    corner = (uniform(2) * (room - 1)).long()  # towards 0, where no room is left
    taken = torch.where(rectangles(corner, sides, (height, width)), images.index_select(0, partner), images)
    return Mixed(taken, partner, sides.prod(dim=1) / (height * width))


def cut_out(images: Tensor, size: int, random: torch.Generator) -> Tensor:
    """Images [B, C, H, W] with zeros in a square of ``size`` pixels around a random pixel of each; differentiable.

    What lies outside of the image is lost. DeVries and Taylor, arXiv 1708.04552.
    """
    height, width = images.shape[2:]
    position = torch.rand(len(images), 2, generator=random, device=random.device)
    centre = torch.stack([position[:, 0] * height, position[:, 1] * width], dim=1).long()
    sides = torch.full_like(centre, size)
    return images.masked_fill(rectangles(centre - size // 2, sides, (height, width)), 0)


def rectangles(corner: Tensor, sides: Tensor, size: tuple[int, int]) -> Tensor:
    """Which pixels lie in each image's rectangle: bool [B, 1, H, W].

    Args:
        corner: its top and left pixel, int64 [B, 2]; may lie outside of the image.
        sides: its height and width, int64 [B, 2].
        size: H and W.
    """
    inside = [
        (pixels >= start) & (pixels < start + length)
        for pixels, start, length in (
            (torch.arange(count, device=corner.device), corner[:, axis, None], sides[:, axis, None])
            for axis, count in enumerate(size)
        )
    ]
    return (inside[0][:, :, None] & inside[1][:, None, :]).unsqueeze(1)
