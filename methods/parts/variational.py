"""The encoder of a variational autoencoder whose decoder is an image generator."""

from __future__ import annotations

import math

from torch import Tensor, nn
from torch.nn import functional as F

from methods.base.task import Task


class Encoder(nn.Module):
    """Images [B, C, H, W] to mean and logarithm of the variance of their latents, [B, nz] each.

    4,321,872 parameters for 3 × 32 × 32 images, nz 1000 and width 128. kuluhan/PRE-DFKD, networks/generator.py.
    """

    def __init__(self, task: Task, nz: int, width: int) -> None:
        super().__init__()
        (channels, height, width_px), half = task.shape, width // 2
        self.first = nn.Sequential(*_convolution(channels, half), *_convolution(half, width))
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, stride=2, padding=1), nn.BatchNorm2d(width))
        numbers = width * math.ceil(height / 8) * math.ceil(width_px / 8)
        self.mean, self.log_variance = nn.Linear(numbers, nz), nn.Linear(numbers, nz)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Columns of the images have norm 1 first; every second pixel stays after each half."""
        maps = self.first(F.normalize(x, dim=2))[:, :, ::2, ::2]
        maps = self.second(maps)[:, :, ::2, ::2].flatten(1)
        return self.mean(maps), self.log_variance(maps)


def _convolution(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs, eps=0.8), nn.LeakyReLU(0.2)]


def normal_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL of N(mean, variance) from N(0, 1), summed over [B, nz]'s columns and averaged over its rows; 0-dim."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=1).mean()
