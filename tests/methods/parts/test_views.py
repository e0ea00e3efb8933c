"""Crops, mirror images and resized crops against loops over single images; their distributions against the rules."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
import torch
from scipy import stats

from methods.parts.views import ResizedCrops, Views
from tests.methods import slow


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def fits(counts: list[int], expected: list[float] | None = None) -> bool:
    """Chi-square test of counts against what is expected; uniform if nothing is given."""
    return bool(stats.chisquare(counts, expected).pvalue > 0.001)


@pytest.mark.parametrize("flip", [True, False])
def test_views_equal_a_loop(flip: bool) -> None:
    views = Views(height=6, width=5, pad=2, flip=flip)
    images = torch.rand(views.count, 3, 6, 5)
    taken = views.take(torch.nn.functional.pad(images, [2] * 4), torch.arange(views.count))
    pictures = [slow.crop(image, number, 2) for number, image in enumerate(images)]
    assert torch.equal(taken, torch.stack(pictures))
    same = [slow.crop(images[0], number, 2) for number in range(views.count)]
    assert len({tuple(picture.flatten().tolist()) for picture in same}) == views.count == (50 if flip else 25)


def test_random_views_and_their_gradient_equal_a_loop() -> None:
    views, images = Views(32, 32, 4, True), torch.rand(5, 3, 32, 32, generator=seeded()).requires_grad_()
    mine = views.augment(images, seeded(1))
    numbers = views.draw(5, seeded(1)).tolist()
    loop = torch.stack([slow.crop(image, number, 4) for image, number in zip(images, numbers, strict=True)])
    assert torch.equal(mine, loop)
    weight = torch.rand(mine.shape, generator=seeded(2))
    gradients = [torch.autograd.grad((y * weight).sum(), images)[0] for y in (mine, loop)]
    assert torch.equal(*gradients)


def test_views_are_uniform() -> None:
    views = Views(32, 32, 4, True)
    numbers = views.draw(81_000, seeded()).tolist()
    assert views.count == 162
    assert fits(list(Counter(numbers).values()))
    tops, lefts = Counter(n % 81 // 9 for n in numbers), Counter(n % 9 for n in numbers)
    mirrored = Counter(n // 81 for n in numbers)
    assert sorted(tops) == sorted(lefts) == list(range(9))
    assert all(fits(list(count.values())) for count in (tops, lefts, mirrored))


BOXES = [(0, 0, 32, 32), (3, 5, 16, 27), (12, 0, 20, 31), (1, 1, 31, 31), (14, 13, 17, 14), (9, 2, 23, 30)]


@pytest.mark.parametrize("mirrored", [False, True])
def test_resized_crops_equal_a_loop(mirrored: bool) -> None:
    images = torch.rand(len(BOXES), 3, 32, 32, generator=seeded()).requires_grad_()
    flags = [mirrored] * len(BOXES)
    mine = ResizedCrops(32, 32, True).take(images, torch.tensor(BOXES), torch.tensor(flags))
    loop = torch.stack([slow.resized(*each) for each in zip(images, BOXES, flags, strict=True)])
    assert (mine - loop).abs().max() < 1e-5
    weight = torch.rand(mine.shape, generator=seeded(1))
    gradients = [torch.autograd.grad((y * weight).sum(), images)[0] for y in (mine, loop)]
    assert (gradients[0] - gradients[1]).abs().max() < 1e-4


def test_random_resized_crops_equal_a_loop() -> None:
    crops, images = ResizedCrops(32, 32, True), torch.rand(8, 3, 32, 32, generator=seeded())
    boxes, mirrored = crops.draw(8, seeded(1))
    loop = [slow.resized(*each) for each in zip(images, boxes.tolist(), mirrored.tolist(), strict=True)]
    assert (crops.augment(images, seeded(1)) - torch.stack(loop)).abs().max() < 1e-5


def draw_by_the_rule(rng: random.Random) -> tuple[int, int, int, int]:
    """kornia 0.6.8: the first of ten candidates smaller than the image on both sides, or else the whole image."""
    height, width = 32, 32
    for _ in range(10):
        area = rng.uniform(0.25, 1) * 32 * 32
        ratio = math.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3)))
        w, h = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        if w < 32 and h < 32:
            height, width = h, w
            break
    return rng.randint(0, 32 - height), rng.randint(0, 32 - width), height, width


def test_boxes_are_drawn_by_the_rule() -> None:
    count, rng = 60_000, random.Random(0)
    boxes, mirrored = ResizedCrops(32, 32, True).draw(count, seeded())
    mine, theirs = [tuple(box) for box in boxes.tolist()], [draw_by_the_rule(rng) for _ in range(count)]
    assert all(0 <= t <= 32 - h and 0 <= left <= 32 - w for t, left, h, w in mine)
    areas = [sum(h * w for _, _, h, w in found) / count / 1024 for found in (mine, theirs)]
    assert areas == pytest.approx([0.55, 0.55], abs=0.003)
    assert stats.ks_2samp([b[2] * b[3] for b in mine], [b[2] * b[3] for b in theirs]).pvalue > 0.001
    for column in range(4):
        assert same_distribution([b[column] for b in mine], [b[column] for b in theirs])
    assert same_distribution([b[2] * 100 + b[3] for b in mine], [b[2] * 100 + b[3] for b in theirs])
    assert fits([int(mirrored.sum()), int((~mirrored).sum())])
    assert sum(h == 32 or w == 32 for _, _, h, w in mine) < 0.001 * count  # with ≤ in place of < these are 8 %


def same_distribution(mine: list[int], theirs: list[int]) -> bool:
    """Chi-square test of homogeneity; rare values are taken together."""
    a, b = Counter(mine), Counter(theirs)
    common = [value for value in a | b if a[value] + b[value] >= 40]
    table = [[found[value] for value in common] + [len(mine) - sum(found[v] for v in common)] for found in (a, b)]
    columns = [column for column in zip(*table, strict=True) if sum(column)]
    return bool(stats.chi2_contingency(list(zip(*columns, strict=True))).pvalue > 0.001)


def test_corners_of_resized_crops_are_uniform() -> None:
    boxes, _ = ResizedCrops(32, 32, True).draw(60_000, seeded(3))
    for corner, side in ((0, 2), (1, 3)):
        of_24 = boxes[boxes[:, side] == 24][:, corner].tolist()
        assert sorted(Counter(of_24)) == list(range(9))
        assert fits(list(Counter(of_24).values()))


def test_resized_crops_are_not_mirrored_where_the_task_has_no_flip() -> None:
    assert not ResizedCrops(32, 32, False).draw(100, seeded())[1].any()
