"""φ as a weight and as an order, against slow float64 references."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from methods.parts.modulation import Modulation

SHARE = [0.1, 0.4, 0.2, 0.3, 0.0]


def logits(*shape: int, scale: float = 1.0) -> Tensor:
    return scale * torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))


def slow(row: list[float], gamma: float) -> float:
    powers = [math.exp(value) for value in row]
    top = powers.index(max(powers))
    return (1 - SHARE[top]) * (sum(powers[:top] + powers[top + 1 :]) / sum(powers)) ** gamma


def content(given: Tensor) -> Tensor:
    predicted = given.argmax(dim=1).view(len(given), -1)
    return torch.stack([torch.bincount(row, minlength=5) for row in predicted])


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.0, 5.0])
def test_phi_is_the_formula(gamma: float) -> None:
    given, share = logits(8, 5), torch.tensor(SHARE, dtype=torch.float64)
    expected = [slow(row, gamma) for row in given.tolist()]
    phi = Modulation(gamma)
    assert phi(given, share).tolist() == pytest.approx(expected, rel=1e-6)
    assert phi.order(phi.log_difficulty(given), content(given), share).exp().tolist() == pytest.approx(
        expected, rel=1e-6
    )


def test_phi_of_an_empty_buffer_and_of_a_certain_teacher() -> None:
    given = torch.tensor([[0.0, 0.0], [200.0, 0.0]])
    assert Modulation(2.0)(given, torch.zeros(2)).tolist() == pytest.approx([0.25, 0.0])
    uniform = Modulation(2.0, difficulty=False)(given, torch.full((2,), 0.5))
    assert uniform.tolist() == pytest.approx([0.5, 0.5])


def test_the_order_ranks_where_phi_itself_is_zero() -> None:
    """Two images that a confident teacher gives 1 - p_t of e^-150 and e^-200: the former is harder."""
    given, phi = torch.tensor([[200.0, 0.0], [150.0, 0.0]]), Modulation(2.0)
    assert phi(given, torch.zeros(2)).tolist() == [0.0, 0.0]
    found = phi.order(phi.log_difficulty(given), content(given)[:, :2], torch.zeros(2))
    assert found.tolist() == pytest.approx([-400.0, -300.0], rel=1e-6)


def test_a_factor_that_is_off_orders_nothing() -> None:
    given, share = logits(8, 5), torch.tensor(SHARE, dtype=torch.float64)
    easy, rare = Modulation(2.0, diversity=False), Modulation(2.0, difficulty=False)
    found = easy.order(easy.log_difficulty(given), content(given), share)
    assert torch.equal(found, easy.log_difficulty(given))
    found = rare.order(rare.log_difficulty(given), content(given), share)
    expected = [math.log(1 - SHARE[top]) for top in given.argmax(dim=1).tolist()]
    assert found.tolist() == pytest.approx(expected, rel=1e-6)


def test_an_image_of_pixels_has_the_mean_of_each_factor() -> None:
    given, share = logits(3, 5, 2, 2), torch.tensor(SHARE, dtype=torch.float64)
    phi = Modulation(1.0)
    found = phi.order(phi.log_difficulty(given), content(given), share).exp().tolist()
    for image, value in zip(given.flatten(2).transpose(1, 2), found, strict=True):
        probabilities = [[math.exp(v) / sum(map(math.exp, row)) for v in row] for row in image.tolist()]
        rarity = sum(1 - SHARE[p.index(max(p))] for p in probabilities) / 4
        difficulty = sum(1 - max(p) for p in probabilities) / 4
        assert value == pytest.approx(rarity * difficulty, rel=1e-6)
