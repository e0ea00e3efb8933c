"""Spectral norm: a convolution's weights, divided by the largest factor by which they stretch a patch of the image."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize


class SpectralNorm(nn.Module):
    """Weights [out, ...] over an estimate of the largest singular value of them as a matrix [out, -1].

    Every use takes one step of power iteration; in training mode the next one begins where it ended. Miyato et al.
    (ICLR 2018). PyTorch's own would multiply in bfloat16 inside a network that is lowered, and this one does not.

    Args:
        outputs: of the convolution.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.left: Tensor
        self.register_buffer("left", F.normalize(torch.randn(outputs), dim=0))

    def forward(self, weight: Tensor) -> Tensor:
        """The weights, divided; the gradient sees the singular vectors as constants."""
        matrix = weight.flatten(1)
        with torch.no_grad():
            right = F.normalize((matrix * self.left[:, None]).sum(dim=0), dim=0)
            left = F.normalize((matrix * right).sum(dim=1), dim=0)
            if self.training:
                self.left.copy_(left)
        return weight / ((matrix * right).sum(dim=1) * left).sum()


def normalise_convolutions(network: nn.Module) -> None:
    """Give every convolution of ``network`` a spectral norm, in place; the vectors start at random."""
    for layer in [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]:
        parametrize.register_parametrization(layer, "weight", SpectralNorm(layer.out_channels))
