"""The variational encoder: its size, and what it does to an image, written out."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from methods.parts.variational import Encoder, normal_divergence
from tests import small


def test_parameters() -> None:
    assert sum(weight.numel() for weight in Encoder(small.CIFAR, 1000, 128).parameters()) == 4_321_872


@pytest.mark.usefixtures("double")
def test_images_lose_half_their_side_three_times() -> None:
    torch.manual_seed(0)
    encoder = Encoder(small.CIFAR, 5, 4).eval()
    x = torch.randn(2, 3, 32, 32)
    norms = torch.zeros_like(x)
    for row in range(32):
        norms += (x[:, :, row] ** 2)[:, :, None]
    maps = x / norms.sqrt()
    convolutions = [layer for layer in encoder.modules() if isinstance(layer, nn.Conv2d)]
    norm = [layer for layer in encoder.modules() if isinstance(layer, nn.BatchNorm2d)]
    assert [(layer.eps, layer.num_features) for layer in norm] == [(0.8, 2), (0.8, 4), (1e-5, 4)]
    for layer, normal in zip(convolutions[:2], norm[:2], strict=True):
        maps = F.leaky_relu(normal(layer(maps)), 0.2)
    maps = F.interpolate(maps, scale_factor=0.5, mode="nearest")
    maps = F.interpolate(norm[2](convolutions[2](maps)), scale_factor=0.5, mode="nearest")
    assert maps.shape == (2, 4, 4, 4)
    for found, layer in zip(encoder(x), (encoder.mean, encoder.log_variance), strict=True):
        assert torch.allclose(found, layer(maps.flatten(1)), rtol=1e-9)


@pytest.mark.parametrize("side", [4, 8, 28])
def test_images_of_any_size(side: int) -> None:
    encoder = Encoder(dataclasses.replace(small.DIGITS, shape=(1, side, side)), 3, 4)
    assert encoder(torch.randn(2, 1, side, side))[0].shape == (2, 3)


@pytest.mark.usefixtures("double")
def test_divergence_from_a_normal_distribution() -> None:
    assert normal_divergence(torch.zeros(3, 4), torch.zeros(3, 4)).item() == 0
    random = torch.Generator().manual_seed(0)
    mean, log_variance = (torch.randn(3, 4, generator=random) for _ in range(2))
    each = [
        0.5 * (m**2 + torch.tensor(v).exp().item() - 1 - v)
        for m, v in zip(mean.flatten().tolist(), log_variance.flatten().tolist(), strict=True)
    ]
    assert normal_divergence(mean, log_variance).item() == pytest.approx(sum(each) / 3, rel=1e-12)
