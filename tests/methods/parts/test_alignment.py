"""Alignment of features with the classifier against closed forms and a loop, in float64."""

from __future__ import annotations

import math

import pytest
import torch

from methods.base.teacher import Classifier
from methods.parts.alignment import Alignment
from tests.methods import slow

pytestmark = pytest.mark.usefixtures("double")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def classifier(classes: int, features: int) -> Classifier:
    weight = torch.randn(classes, features, generator=seeded(0))
    assert torch.linalg.svdvals(weight).min() > 0.1
    return Classifier(weight, torch.randn(classes, generator=seeded(1)))


@pytest.mark.parametrize(("classes", "logit"), [(100, 6.7923), (10, 4.3944)])
def test_wanted_features_have_the_wanted_logits(classes: int, logit: float) -> None:
    last = classifier(classes, 160)
    logits = Alignment(last).wanted @ last.weight.T + last.bias
    assert torch.allclose(logits, torch.eye(classes) * math.log(9 * (classes - 1)), atol=1e-8)
    assert logits[0, 0].item() == pytest.approx(logit, abs=5e-5)
    assert logits.softmax(dim=1).diagonal().tolist() == pytest.approx([0.9] * classes)


def test_the_direction_is_that_of_the_pseudo_inverse() -> None:
    last = classifier(6, 20)
    assert torch.allclose(Alignment(last).direction, torch.linalg.pinv(last.weight.T).sum(dim=0))


def test_small_singular_values_count_as_a_tenth() -> None:
    weight = torch.zeros(4, 6)
    weight[range(4), range(4)] = torch.tensor([3.0, 0.5, 0.09, 1e-9])
    found, expected = Alignment(Classifier(weight, torch.zeros(4))), [1 / 3, 2.0, 10.0, 10.0]
    assert found.direction.tolist() == pytest.approx([*expected, 0, 0])
    assert found.wanted.diagonal().tolist() == pytest.approx([math.log(27) * value for value in expected])


def test_the_loss_is_a_cosine_with_the_direction() -> None:
    found, y = Alignment(classifier(6, 20)), torch.tensor([2, 5, 5])
    wanted, b = found.wanted[y], found.direction
    across = torch.randn(3, 20, generator=seeded(2))
    across -= torch.outer(across @ b, b) / (b @ b)
    for kappa in (0.3, -2.0):
        assert found(wanted + kappa * b, y).item() == pytest.approx(1, abs=1e-9)
    assert found(wanted, y).item() == pytest.approx(0, abs=1e-6)
    assert found(wanted + across, y).item() == pytest.approx(0, abs=1e-9)


def test_the_loss_equals_a_loop() -> None:
    found, y = Alignment(classifier(6, 20)), torch.tensor([2, 5, 5])
    features, b = torch.randn(3, 20, generator=seeded(3)).requires_grad_(), found.direction
    away = [f - found.wanted[c] for f, c in zip(features, y.tolist(), strict=True)]
    cosines = [(a * b).sum() / ((a * a).sum() * (b * b).sum()).sqrt() for a in away]
    assert {c.item() > 0 for c in cosines} == {True, False}
    slow.assert_same(found(features, y), slow.mean([c.abs() for c in cosines]), features)
