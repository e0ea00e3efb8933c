"""Rectangles against loops and torchvision's `erase`; their distribution against kornia's rules."""

from __future__ import annotations

import math
import random

import pytest
import torch
from scipy import stats
from torch import Tensor
from torchvision.transforms import functional

from methods.parts.cutting import cut_mix, cut_out, rectangles
from tests.methods.test_no_sync import Watch, watch  # noqa: F401 - a fixture


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def numbered(count: int, size: tuple[int, int]) -> Tensor:
    """Images whose pixels all say which image they are of."""
    return torch.arange(1.0, count + 1)[:, None, None, None].expand(-1, 3, *size).clone()


@pytest.mark.parametrize("corner", [(0, 0), (2, 1), (-2, 3), (5, 4), (-9, -9)])
@pytest.mark.parametrize("sides", [(0, 0), (3, 2), (1, 9), (20, 20)])
def test_a_rectangle_equals_a_loop(corner: tuple[int, int], sides: tuple[int, int]) -> None:
    mask = rectangles(torch.tensor([corner, (0, 0)]), torch.tensor([sides, (0, 0)]), (6, 5))
    for row in range(6):
        for column in range(5):
            inside = corner[0] <= row < corner[0] + sides[0] and corner[1] <= column < corner[1] + sides[1]
            assert mask[0, 0, row, column] == inside
    assert not mask[1].any()


@pytest.mark.parametrize("seed", range(12))
def test_a_mixture_is_the_image_with_a_rectangle_of_its_partner(seed: int) -> None:
    size = (12, 8)
    mixed = cut_mix(numbered(40, size), seeded(seed), probability=0.9)
    assert sorted(mixed.partner.tolist()) == list(range(40))
    low, high = [0.0, 0.0], [1.0, 1.0]  # what the two numbers can be that all corners of the batch come from
    for own, (image, partner, share) in enumerate(
        zip(mixed.images, mixed.partner.tolist(), mixed.share.tolist(), strict=True)
    ):
        other = image[0] != own + 1
        assert torch.equal(image[0], image[1]) and torch.equal(image[0], image[2])
        assert set(image[0][other].tolist()) <= {partner + 1.0}
        if partner == own or not share:
            assert not other.any()
            continue
        rows, columns = other.any(dim=1).nonzero().flatten(), other.any(dim=0).nonzero().flatten()
        height, width = len(rows), len(columns)
        assert int(other.sum()) == height * width == round(share * 96)
        assert height // 3 in (width // 2 - 1, width // 2, width // 2 + 1)  # the image's shape, rounded down
        assert bool((rows.diff() == 1).all()) and bool((columns.diff() == 1).all())
        for axis, (start, room) in enumerate(((int(rows[0]), 11 - height), (int(columns[0]), 7 - width))):
            if room > 0:
                low[axis], high[axis] = max(low[axis], start / room), min(high[axis], (start + 1) / room)
    assert all(a < b for a, b in zip(low, high, strict=True))


def draw_by_the_rule(rng: random.Random, count: int) -> list[int]:
    """kornia's: sides for a batch of images of 32 × 32."""
    batch = rng.random() < 0.5
    return [math.floor(math.sqrt(1 - rng.random()) * 32) if batch and rng.random() < 0.5 else 0 for _ in range(count)]


def test_rectangles_are_drawn_by_the_rule() -> None:
    images, rng = numbered(16, (32, 32)), random.Random(0)
    mine, theirs, generator = [], [], seeded(5)
    for _ in range(800):
        shares = cut_mix(images, generator).share
        mine.append([round(math.sqrt(share) * 32) for share in shares.tolist()])
        theirs.append(draw_by_the_rule(rng, 16))
    batches = [sum(any(batch) for batch in found) for found in (mine, theirs)]
    assert stats.binomtest(batches[0], 800, 0.5).pvalue > 0.001
    sides = [sorted(side for batch in found for side in batch if side) for found in (mine, theirs)]
    assert stats.ks_2samp(*sides).pvalue > 0.001
    assert stats.binomtest(len(sides[0]), batches[0] * 16, 0.5 * (1 - 1 / 1024)).pvalue > 0.001
    assert abs(sum(side**2 for side in sides[0]) / len(sides[0]) / 1024 - 0.47) < 0.02  # a half, rounded down


def test_corners_are_where_the_rule_puts_them() -> None:
    generator, tops = seeded(2), []
    images = torch.stack([torch.zeros(3, 12, 12), torch.ones(3, 12, 12)])
    for _ in range(1000):
        mixed = cut_mix(images, generator, probability=1.0)
        if mixed.partner.tolist() == [1, 0]:
            inside = mixed.images[0, 0].bool()
            side = round(math.sqrt(mixed.share[0].item()) * 12)
            if side == 8:
                tops.append(int(inside.any(dim=1).nonzero()[0]))
    assert set(tops) == set(range(3))  # ⌊u · (12 - 8 - 1)⌋
    assert stats.chisquare([tops.count(top) for top in range(3)]).pvalue > 0.001


def test_the_gradient_goes_to_whom_a_pixel_came_from() -> None:
    images = torch.rand(8, 3, 12, 8, generator=seeded()).requires_grad_()
    mixed = cut_mix(images, seeded(1), probability=1.0)
    weight = torch.rand(images.shape, generator=seeded(2))
    (gradient,) = torch.autograd.grad((mixed.images * weight).sum(), images)
    expected = torch.zeros_like(images)
    taken = mixed.images != images
    for own, partner in enumerate(mixed.partner.tolist()):
        expected[partner] += weight[own] * taken[own]
        expected[own] += weight[own] * ~taken[own]
    assert torch.allclose(gradient, expected)


@pytest.mark.parametrize("size", [1, 4, 5, 30])
def test_cut_out_equals_erase(size: int) -> None:
    images = torch.rand(30, 3, 12, 8, generator=seeded()) + 0.1
    mine = cut_out(images, size, seeded(1))
    places = torch.rand(30, 2, generator=seeded(1))
    for image, before, (down, right) in zip(mine, images, places.tolist(), strict=True):
        top, left = math.floor(down * 12) - size // 2, math.floor(right * 8) - size // 2
        bottom, end = min(top + size, 12), min(left + size, 8)
        top, left = max(top, 0), max(left, 0)
        assert torch.equal(image, functional.erase(before, top, left, bottom - top, end - left, v=torch.zeros(())))


def test_nothing_reads_the_device(watch: Watch) -> None:  # noqa: F811 - the fixture
    images = torch.rand(4, 3, 6, 5, requires_grad=True)
    with watch:
        mixed = cut_mix(images, seeded())
        torch.autograd.grad(cut_out(mixed.images, 3, seeded()).sum(), images)
