"""Nearest upsampling and a 3×3 convolution as one: what the generators of 32×32 images consist of."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class UpsampledConvolution(nn.Conv2d):
    """A 3×3 convolution, padded by 1, of the image doubled by nearest upsampling; weights are the convolution's own.

    Four equal pixels of the doubled image share their products, so that 16 of 36 remain: a transposed convolution with
    a 4×4 kernel and stride 2, whose entries are sums of the 3×3 kernel's. Equal up to rounding.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, 2 H, 2 W]."""
        kernel = _doubled(_doubled(self.weight, 2), 3)
        return F.conv_transpose2d(x, kernel.transpose(0, 1), self.bias, stride=2, padding=1)


def _doubled(kernel: Tensor, dim: int) -> Tensor:
    """A kernel of 3 along ``dim`` to the 4 numbers that a pixel meets when it stands twice beside itself."""
    first, second, third = kernel.unbind(dim)
    return torch.stack([third, second + third, first + second, first], dim)
