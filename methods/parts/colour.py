"""Random changes of colour, every image its own: brightness, contrast, saturation and hue, in an order of its own."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

LUMA = (0.2989, 0.587, 0.114)
"""Share of red, green and blue in a pixel's grey; ITU-R BT.601, with torchvision's digits."""
HUE = 3
"""The last of the four changes, after brightness, contrast and saturation."""


@dataclass(frozen=True)
class Jitter:
    """The draws for n images."""

    factors: Tensor
    """Of brightness, contrast and saturation, and the shift of the hue in turns: [n, 4]."""
    order: Tensor
    """Which change is the first, second, third, fourth: int64 [n, 4]."""
    touched: Tensor
    """Which images change at all: bool [n]."""


@dataclass(frozen=True)
class ColourJitter:
    """What torchvision's ColorJitter does to a single image, to each of a batch by itself; nothing is read.

    The first three factors are uniform between 1 - x and 1 + x, the hue's shift between -x and x turns; an image is
    changed with ``probability``. Grey images have no saturation and no hue. CPNet (ICCV 2025) takes 0.1 for all four,
    with probability 0.4.
    """

    brightness: float
    contrast: float
    saturation: float
    hue: float
    probability: float = 1.0

    def augment(self, images: Tensor, random: torch.Generator) -> Tensor:
        """Images [B, C, H, W] in [0, 1], C 1 or 3, changed at random; differentiable."""
        return self.apply(images, self.draw(len(images), random))

    def draw(self, n: int, random: torch.Generator) -> Jitter:
        """The changes of ``n`` images."""

        def uniform(*shape: int) -> Tensor:
            return torch.rand(shape, generator=random, device=random.device)

        widths = (self.brightness, self.contrast, self.saturation, self.hue)
        factors = [(2 * uniform(n) - 1) * width + (change != HUE) for change, width in enumerate(widths)]
        order = uniform(n, 4).argsort(dim=1)
        return Jitter(torch.stack(factors, dim=1), order, uniform(n) < self.probability)

    def apply(self, images: Tensor, jitter: Jitter) -> Tensor:
        """Images [B, C, H, W] in [0, 1], changed as drawn."""
        if images.shape[1] not in (1, 3):
            raise ValueError(f"colours are those of 1 or 3 channels, not of {images.shape[1]}")
        changed = images
        for change in jitter.order.unbind(dim=1):
            factor = jitter.factors.gather(1, change[:, None])[:, :, None, None]
            changed = _changed(changed, change[:, None, None, None], factor.to(images.dtype))
        return torch.where(jitter.touched[:, None, None, None], changed, images)


def _changed(images: Tensor, change: Tensor, factor: Tensor) -> Tensor:
    """Each image after one change, number ``change`` [B, 1, 1, 1], by ``factor`` [B, 1, 1, 1]."""
    grey = _grey(images)
    mean = grey.mean(dim=(1, 2, 3), keepdim=True)
    # darker, flatter and paler are mixtures with black, with the mean grey, and with each pixel's grey
    other = torch.where(change == 1, mean, grey) * (change != 0)
    mixed = (factor * images + (1 - factor) * other).clamp(0, 1)
    if images.shape[1] == 1:
        return torch.where(change < 2, mixed, images)
    return torch.where(change == HUE, turned(images, factor), mixed)


def _grey(images: Tensor) -> Tensor:
    """[B, 1 or 3, H, W] to [B, 1, H, W]."""
    if images.shape[1] == 1:
        return images
    red, green, blue = images.unbind(dim=1)
    return (LUMA[0] * red + LUMA[1] * green + LUMA[2] * blue).unsqueeze(1)


def turned(images: Tensor, turns: Tensor) -> Tensor:
    """RGB images [B, 3, H, W] in [0, 1] with every hue moved by ``turns`` [B, 1, 1, 1] around the circle.

    Through HSV and back; a hue is counted from 0 to 6. Grey pixels stay, and no gradient passes through their hue.
    """
    red, green, blue = images.split(1, dim=1)
    value, low = images.amax(dim=1, keepdim=True), images.amin(dim=1, keepdim=True)
    chroma = value - low
    span = torch.where(chroma > 0, chroma, 1.0)
    hue = torch.where(value == green, 2 + (blue - red) / span, 4 + (red - green) / span)
    hue = torch.where(value == red, (green - blue) / span, hue) + 6 * turns
    # each channel falls from the largest value by the chroma, as far as the hue is from that channel's own
    distance = torch.cat([(offset + hue) % 6 for offset in (5, 3, 1)], dim=1)
    return value - chroma * torch.minimum(distance, 4 - distance).clamp(0, 1)
