"""CPNet's generator against counted parameters and a loop over its layers."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from methods.parts.coupled_generator import CoupledGenerator
from methods.parts.nodes import Node

HEAD = 2 * 512 + 4 * (512 * 1000 + 1000)
"""What makes the codes: a batch norm and four noisy layers, for 400 images of 100 classes."""


def nodes(*shapes: tuple[int, int, int]) -> list[Node]:
    return [Node("", shape) for shape in shapes]


@pytest.mark.parametrize(
    ("shapes", "official"),
    [
        (nodes((512, 4, 4), (256, 8, 8), (128, 16, 16), (64, 32, 32)), 11_805_155),
        (nodes((128, 8, 8), (64, 16, 16), (32, 32, 32), (16, 32, 32)), 10_350_899),
    ],
    ids=["resnet34 and vgg11", "wrn40_2"],
)
def test_parameters(shapes: list[Node], official: int) -> None:
    with torch.device("meta"):
        made = CoupledGenerator(1000, shapes, (3, 32, 32))
    assert sum(p.numel() for p in made.parameters()) == official - HEAD


@pytest.mark.parametrize(
    ("shapes", "image"),
    [
        ([(6, 2, 2), (5, 4, 4), (4, 8, 8), (3, 8, 8)], (1, 8, 8)),  # as wrn10_1's on the digits
        ([(4, 3, 5), (2, 9, 15)], (3, 18, 30)),
        ([(4, 2, 2), (3, 5, 5)], (1, 20, 20)),
    ],
)
def test_images_and_maps_equal_a_loop(shapes: list[tuple[int, int, int]], image: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    made = CoupledGenerator(7, nodes(*shapes), image).double()
    z = torch.randn(5, 7, dtype=torch.float64)
    mine, maps = made(z)
    weights = list(made.parameters())
    x = F.linear(z, *weights[:2]).reshape(5, *shapes[0])
    x = F.batch_norm(x, None, None, *weights[2:4], training=True)
    assert torch.allclose(maps[0], x)
    rest = iter(weights[4:])
    for found, shape in zip(maps[1:], shapes[1:], strict=True):
        x = F.conv2d(F.interpolate(x, shape[1:], mode="nearest"), next(rest), padding=1)
        x = F.leaky_relu(F.batch_norm(x, None, None, next(rest), next(rest), training=True), 0.2)
        assert torch.allclose(found, x)
    x = F.conv2d(F.interpolate(x, image[1:], mode="nearest"), next(rest), next(rest), padding=1)
    assert not list(rest)
    assert torch.allclose(mine, x.sigmoid())
    assert [tuple(found.shape[1:]) for found in maps] == shapes
