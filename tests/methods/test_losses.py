"""Losses against slow loops in float64."""

from __future__ import annotations

import math

import pytest
import torch

from methods.dafl import DAFL, DAFLConfig, generator_losses
from methods.deepinversion import total_variation
from methods.parts.losses import (
    jensen_shannon,
    kl_divergence,
    logit_distance,
    masked_kl,
    mean_entropy,
    one_hot,
    weighted_sum,
)
from methods.parts.teacher import TeacherOutput
from tests.methods import slow

Pair = tuple[torch.Tensor, torch.Tensor]
pytestmark = pytest.mark.usefixtures("double")


@pytest.fixture
def logits() -> Pair:
    """Of teacher and student, who agree on some samples."""
    generator = torch.Generator().manual_seed(1)
    t, s = (2 * torch.randn(6, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    s[0] = t[0] / 2
    return t.requires_grad_(), s.requires_grad_()


def same(mine: torch.Tensor, theirs: torch.Tensor, *inputs: torch.Tensor) -> None:
    """Value and gradients agree."""
    assert mine.item() == pytest.approx(theirs.item(), rel=1e-10)
    for x in inputs:
        gradients = [torch.autograd.grad(y, x, retain_graph=True)[0] for y in (mine, theirs)]
        assert gradients[1].norm() > 1e-6
        assert slow.distance(*gradients) < 1e-10


@pytest.mark.parametrize("temperature", [1.0, 20.0])
def test_kl(logits: Pair, temperature: float) -> None:
    t, s = logits
    expected = [slow.kl(a, b, temperature) for a, b in zip(t.tolist(), s.tolist(), strict=True)]
    assert kl_divergence(t, s, temperature).tolist() == pytest.approx(expected, rel=1e-10)
    same(kl_divergence(t, s, temperature).mean(), slow.mean(slow.kl_rows(t, s, temperature)), t, s)


def test_masked_kl_counts_agreeing_samples_alone_and_its_mask_is_constant(logits: Pair) -> None:
    t, s = logits
    agree = [a == b for a, b in zip(slow.largest(t), slow.largest(s), strict=True)]
    assert 0 < sum(agree) < len(agree)
    rows = zip(t.tolist(), s.tolist(), agree, strict=True)
    assert masked_kl(t, s).item() == pytest.approx(sum(slow.kl(a, b) for a, b, kept in rows if kept) / 6, rel=1e-10)
    same(masked_kl(t, s), slow.masked_kl(t, s), t, s)
    for gradient in torch.autograd.grad(masked_kl(t, s), (t, s)):
        assert [bool(row.any()) for row in gradient] == agree


def test_logit_distance(logits: Pair) -> None:
    t, s = logits
    rows = [sum(abs(a - b) for a, b in zip(x, y, strict=True)) / 4 for x, y in zip(t.tolist(), s.tolist(), strict=True)]
    assert logit_distance(t, s).tolist() == pytest.approx(rows, rel=1e-10)


def test_jensen_shannon_is_the_reverse_form_of_the_code(logits: Pair) -> None:
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


def test_dafl_terms(logits: Pair) -> None:
    t, features = logits
    losses = generator_losses(TeacherOutput(t, features))
    mean = slow.mean_prediction(t)
    same(losses["entropy"], (mean * mean.log()).sum() / math.log(10), t)
    same(losses["one_hot"], slow.mean(slow.cross_entropies(t, slow.largest(t))), t)
    flat = [abs(value) for row in features.tolist() for value in row]
    assert losses["activation"].item() == pytest.approx(-sum(flat) / len(flat), rel=1e-10)


def test_dafl_counts_entropy_to_base_10_and_its_later_form_in_nats(logits: Pair) -> None:
    """20 of the later form are 46.05 here."""
    t, features = logits
    config = DAFLConfig(**DAFL.presets["cmi"].all_options()[0])
    assert config.ie == pytest.approx(46.05, abs=0.005)
    mean = slow.mean_prediction(t)
    expected = slow.mean(slow.cross_entropies(t, slow.largest(t))) + 20 * (mean * mean.log()).sum()
    expected = expected - 0.001 * features.abs().mean()
    weights = {"one_hot": config.oh, "entropy": config.ie, "activation": config.a}
    same(weighted_sum(generator_losses(TeacherOutput(t, features)), weights), expected, t)


def test_entropy_is_largest_for_balanced_predictions_and_one_hot_smallest_for_sure_ones() -> None:
    assert mean_entropy(100 * torch.eye(4)).item() == pytest.approx(math.log(4))
    assert mean_entropy(100 * torch.eye(4)[[0, 0]]).item() == pytest.approx(0, abs=1e-9)
    assert one_hot(100 * torch.eye(4)).item() == pytest.approx(0, abs=1e-9)
    assert one_hot(torch.zeros(2, 4)).item() == pytest.approx(math.log(4))


def test_total_variation_equals_a_loop() -> None:
    x = torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    sums = {step: [] for step in ((0, 1), (1, 0), (1, 1), (1, -1))}  # type: dict[tuple[int, int], list[float]]
    for image in x.flatten(0, 1).tolist():
        for row in range(4):
            for column in range(5):
                for (down, right), found in sums.items():
                    if row + down < 4 and 0 <= column + right < 5:
                        found.append(abs(image[row + down][column + right] - image[row][column]))
    assert total_variation(x).item() == pytest.approx(sum(sum(f) / len(f) for f in sums.values()), rel=1e-10)


def test_terms_of_weight_0_are_left_out() -> None:
    parts = {"a": torch.tensor(2.0), "b": torch.tensor(float("nan")), "c": torch.tensor(3.0)}
    assert weighted_sum(parts, {"a": 10.0, "b": 0.0, "c": 1.0}).item() == 23
    assert weighted_sum({"a": torch.tensor(2.0)}, {"a": 0.0}).item() == 0
