"""Losses against slow loops in float64."""

from __future__ import annotations

import math

import pytest
import torch

from methods.parts.losses import (
    jensen_shannon,
    kl_divergence,
    logit_distance,
    masked_kl,
    mean_entropy,
    one_hot,
    weighted_sum,
)
from tests.methods import slow

Logits = tuple[torch.Tensor, torch.Tensor]
pytestmark = pytest.mark.usefixtures("double")


@pytest.fixture
def logits() -> Logits:
    """Of teacher and student, who agree on some samples."""
    random = torch.Generator().manual_seed(1)
    t, s = (2 * torch.randn(6, 4, generator=random, dtype=torch.float64) for _ in range(2))
    s[0] = t[0] / 2
    return t.requires_grad_(), s.requires_grad_()


@pytest.mark.parametrize("temperature", [1.0, 20.0])
def test_kl(logits: Logits, temperature: float) -> None:
    t, s = logits
    expected = [slow.kl(a, b, temperature) for a, b in zip(t.tolist(), s.tolist(), strict=True)]
    assert kl_divergence(t, s, temperature).tolist() == pytest.approx(expected, rel=1e-10)
    slow.assert_same(kl_divergence(t, s, temperature).mean(), slow.mean(slow.kl_rows(t, s, temperature)), t, s)


def test_masked_kl_counts_agreeing_samples_alone_and_its_mask_is_constant(logits: Logits) -> None:
    t, s = logits
    agree = [a == b for a, b in zip(slow.largest(t), slow.largest(s), strict=True)]
    assert 0 < sum(agree) < len(agree)
    rows = zip(t.tolist(), s.tolist(), agree, strict=True)
    assert masked_kl(t, s).item() == pytest.approx(sum(slow.kl(a, b) for a, b, kept in rows if kept) / 6, rel=1e-10)
    slow.assert_same(masked_kl(t, s), slow.masked_kl(t, s), t, s)
    for gradient in torch.autograd.grad(masked_kl(t, s), (t, s)):
        assert [bool(row.any()) for row in gradient] == agree


def test_logit_distance(logits: Logits) -> None:
    t, s = logits
    rows = [sum(abs(a - b) for a, b in zip(x, y, strict=True)) / 4 for x, y in zip(t.tolist(), s.tolist(), strict=True)]
    assert logit_distance(t, s).tolist() == pytest.approx(rows, rel=1e-10)


def test_jensen_shannon_is_the_reverse_form_of_the_code(logits: Logits) -> None:
    t, s = logits

    def clamp(value: float) -> float:
        return min(max(value, 0.01), 0.99)

    total = 0.0
    for a, b in zip(t.tolist(), s.tolist(), strict=True):
        for p, q in zip(slow.softmax(b, 3), slow.softmax(a, 3), strict=True):
            m = clamp((p + q) / 2)
            total += 0.5 * m * (math.log(m) - math.log(clamp(p))) + 0.5 * m * (math.log(m) - math.log(clamp(q)))
    assert jensen_shannon(t, s).item() == pytest.approx(total / len(t), rel=1e-10)
    assert all(gradient.any() for gradient in torch.autograd.grad(jensen_shannon(t, s), (t, s)))


def test_entropy_is_largest_for_balanced_predictions_and_one_hot_smallest_for_sure_ones() -> None:
    assert mean_entropy(100 * torch.eye(4)).item() == pytest.approx(math.log(4))
    assert mean_entropy(100 * torch.eye(4)[[0, 0]]).item() == pytest.approx(0, abs=1e-9)
    assert one_hot(100 * torch.eye(4)).item() == pytest.approx(0, abs=1e-9)
    assert one_hot(torch.zeros(2, 4)).item() == pytest.approx(math.log(4))


def test_terms_of_weight_0_are_left_out() -> None:
    parts = {"a": torch.tensor(2.0), "b": torch.tensor(float("nan")), "c": torch.tensor(3.0)}
    assert weighted_sum(parts, {"a": 10.0, "b": 0.0, "c": 1.0}).item() == 23
    assert weighted_sum({"a": torch.tensor(2.0)}, {"a": 0.0}).item() == 0
