"""Changes of colour against torchvision's functions, image by image; their distribution against the rules."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
import torch
from scipy import stats
from torch import Tensor
from torchvision.transforms import functional

from methods.parts.colour import ColourJitter, Jitter, turned
from tests.methods.test_no_sync import Watch, watch  # noqa: F401 - a fixture

CHANGES = (
    functional.adjust_brightness,
    functional.adjust_contrast,
    functional.adjust_saturation,
    functional.adjust_hue,
)
ORDERS = list(itertools.permutations(range(4)))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pictures(count: int, channels: int) -> Tensor:
    """Random colours, with black, white and grey pixels among them, and some of which two channels are equal."""
    images = torch.rand(count, channels, 6, 5, generator=seeded(), dtype=torch.float64)
    images[:, :, 0, 0], images[:, :, 0, 1], images[:, :, 0, 2] = 0, 1, 0.4
    images[:, -1:, 1] = images[:, :1, 1]
    images[:, 0, 2, 0] = 0
    return images


def loop(image: Tensor, factors: list[float], order: list[int]) -> Tensor:
    """One image [C, H, W] after the changes, by torchvision."""
    for change in order:
        image = CHANGES[change](image, factors[change])
    return image


@pytest.mark.parametrize("channels", [1, 3])
def test_every_order_equals_torchvision(channels: int) -> None:
    count = len(ORDERS)
    images = pictures(count, channels)
    factors = torch.rand(count, 4, generator=seeded(1), dtype=torch.float64) * 1.6 + 0.2
    factors[:, 3] = factors[:, 3] / 4 - 0.25  # turns between -0.2 and 0.2
    jitter = Jitter(factors, torch.tensor(ORDERS), torch.ones(count, dtype=torch.bool))
    mine = ColourJitter(0, 0, 0, 0).apply(images, jitter)
    theirs = [loop(*each) for each in zip(images, factors.tolist(), map(list, ORDERS), strict=True)]
    assert (mine - torch.stack(theirs)).abs().max() < 1e-5  # torchvision turns hues in float32
    assert not torch.allclose(mine, images)


@pytest.mark.parametrize("turn", [-0.5, -0.31, -0.1, 0.0, 0.07, 1 / 3, 0.5])
def test_hues_equal_torchvision(turn: float) -> None:
    images = pictures(4, 3)
    mine = turned(images, torch.full((4, 1, 1, 1), turn, dtype=torch.float64))
    assert (mine - functional.adjust_hue(images, turn)).abs().max() < 1e-5


def test_the_gradient_is_torchvisions() -> None:
    images = torch.rand(4, 3, 6, 5, generator=seeded(), dtype=torch.float64).requires_grad_()
    factors = torch.tensor([[0.7, 1.2, 0.6, 0.1]] * 4, dtype=torch.float64)
    orders = [ORDERS[number] for number in (0, 7, 15, 23)]
    mine = ColourJitter(0, 0, 0, 0).apply(images, Jitter(factors, torch.tensor(orders), torch.ones(4).bool()))
    theirs = torch.stack(
        [loop(image, row, list(order)) for image, row, order in zip(images, factors.tolist(), orders, strict=True)]
    )
    weight = torch.rand(mine.shape, generator=seeded(1), dtype=torch.float64)
    gradients = [torch.autograd.grad((y * weight).sum(), images)[0] for y in (mine, theirs)]
    assert (gradients[0] - gradients[1]).abs().max() < 1e-5


def test_gradients_of_grey_and_black_pixels_are_finite() -> None:
    images = torch.tensor([0.0, 0.5, 1.0])[:, None, None, None].expand(3, 3, 2, 2).clone().requires_grad_()
    changed = ColourJitter(0.5, 0.5, 0.5, 0.5).augment(images, seeded())
    (gradient,) = torch.autograd.grad(changed.square().sum(), images)
    assert gradient.isfinite().all()


def test_draws_follow_the_rules() -> None:
    count = 24_000
    jitter = ColourJitter(0.1, 0.2, 0.3, 0.4, probability=0.4).draw(count, seeded())
    orders = Counter(map(tuple, jitter.order.tolist()))
    assert set(orders) == set(ORDERS)
    assert stats.chisquare(list(orders.values())).pvalue > 0.001
    assert stats.binomtest(int(jitter.touched.sum()), count, 0.4).pvalue > 0.001
    for column, (centre, width) in enumerate([(1, 0.1), (1, 0.2), (1, 0.3), (0, 0.4)]):
        values = jitter.factors[:, column].tolist()
        assert stats.kstest(values, stats.uniform(centre - width, 2 * width).cdf).pvalue > 0.001


def test_an_image_that_is_not_touched_stays_and_draws_come_again() -> None:
    images = pictures(40, 3).float()
    jitter = ColourJitter(0.1, 0.1, 0.1, 0.1, probability=0.4)
    first, again, other = (jitter.augment(images, seeded(seed)) for seed in (3, 3, 4))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    touched = jitter.draw(40, seeded(3)).touched
    assert [torch.equal(a, b) for a, b in zip(first, images, strict=True)] == (~touched).tolist()


def test_other_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="1 or 3 channels, not of 2"):
        ColourJitter(0.1, 0.1, 0.1, 0.1).augment(torch.rand(2, 2, 4, 4), seeded())


def test_nothing_reads_the_device(watch: Watch) -> None:  # noqa: F811 - the fixture
    images = torch.rand(4, 3, 6, 5, requires_grad=True)
    with watch:
        torch.autograd.grad(ColourJitter(0.1, 0.1, 0.1, 0.1, 0.4).augment(images, seeded()).sum(), images)
