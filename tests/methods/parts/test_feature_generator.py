"""The generator that hands out and takes in its maps, against the plain one of the same weights."""

from __future__ import annotations

import copy

import pytest
import torch

from methods.parts.feature_generator import Entry, FeatureGenerator
from tests import small


def generator() -> FeatureGenerator:
    torch.manual_seed(0)
    return FeatureGenerator(small.DIGITS, nz=4, width=8)


def test_its_maps_are_what_passes_between_the_layers() -> None:
    made, z = generator().train(), torch.randn(5, 4)
    plain = copy.deepcopy(made.generator)
    images, maps = made(z)
    assert [one.shape[1:] for one in maps] == made.shapes == [(8, 2, 2), (8, 4, 4), (4, 8, 8)]
    assert torch.allclose(maps[0], plain.first_norm(plain.linear(z).view(5, 8, 2, 2)), atol=1e-6)
    x = maps[0]
    for layers, expected in ((plain.body[:3], maps[1]), (plain.body[3:6], maps[2]), (plain.body[6:], images)):
        x = layers(x)
        assert torch.equal(x, expected)


def test_how_much_it_holds_of_an_image_of_cifar() -> None:
    with torch.device("meta"):
        shapes = FeatureGenerator(small.CIFAR, nz=256, width=128).shapes
    assert shapes == [(128, 8, 8), (128, 16, 16), (64, 32, 32)]
    assert sum(c * h * w for c, h, w in shapes) == 106_496


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_from_every_depth_it_makes_the_same_images_again(depth: int) -> None:
    """With the same weights and the whole batch; the maps of other depths do not matter."""
    made, z = generator().train(), torch.randn(5, 4)
    images, maps = made(z)
    passed_over = [one if k == depth else torch.full_like(one, 3.0) for k, one in enumerate(maps)]
    again, seen = made(Entry(passed_over, torch.tensor(depth)))
    assert torch.equal(again, images)
    assert torch.equal(seen[depth], maps[depth])
