"""The fused upsampling against what it stands for, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from methods.parts.upsampling import UpsampledConvolution


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("size", [(1, 1), (2, 5), (8, 8)])
def test_values_and_gradients_are_those_of_upsampling_and_convolution(bias: bool, size: tuple[int, int]) -> None:
    torch.manual_seed(3)
    fused = UpsampledConvolution(4, 6, bias=bias).double()
    plain = nn.Conv2d(4, 6, 3, padding=1, bias=bias).double()
    plain.load_state_dict(fused.state_dict())
    x = torch.randn(2, 4, *size, dtype=torch.float64, requires_grad=True)
    expected = plain(nn.Upsample(scale_factor=2)(x))
    found = fused(x)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-12)
    upstream = torch.randn_like(expected)
    ours = torch.autograd.grad(found, [x, *fused.parameters()], upstream)
    theirs = torch.autograd.grad(expected, [x, *plain.parameters()], upstream)
    torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)
