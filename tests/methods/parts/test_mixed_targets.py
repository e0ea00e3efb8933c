"""Targets that are shares of classes, in the inversion loss, against loops over samples."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from methods.parts.inversion import InversionConfig, InversionLoss, mixed_targets
from tests import small
from tests.methods import slow

Y, OTHER, SHARE = [3, 0, 9, 4], [1, 0, 4, 9], [0.25, 0.7, 0.0, 1.0]


@pytest.fixture
def loss(double: None) -> tuple[InversionLoss, Tensor]:
    given = small.context(small.network("wrn10_1", 1), small.network("cnn3_16", 2))
    x = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    return InversionLoss(InversionConfig(bn=0.0, adv=0.0, oh=1.0), given), x


def test_cross_entropy_of_a_mixture_is_the_mixture_of_cross_entropies(loss: tuple[InversionLoss, Tensor]) -> None:
    objective, x = loss
    y, other, share = torch.tensor(Y), torch.tensor(OTHER), torch.tensor(SHARE)
    found = objective(x, mixed_targets(y, other, share, 10))
    logits = objective.teacher(x).logits
    both = zip(slow.cross_entropies(logits, Y), slow.cross_entropies(logits, OTHER), SHARE, strict=True)
    slow.assert_same(found.loss, slow.mean([(1 - s) * mine + s * theirs for mine, theirs, s in both]), x)


def test_any_shares_of_classes_are_targets(loss: tuple[InversionLoss, Tensor]) -> None:
    objective, x = loss
    shares = torch.rand(4, 10, generator=torch.Generator().manual_seed(1)).softmax(dim=1)
    logits = objective.teacher(x).logits
    rows = [
        -sum(p * slow.probabilities(row)[c].log() for c, p in enumerate(wanted))
        for row, wanted in zip(logits, shares.tolist(), strict=True)
    ]
    slow.assert_same(objective(x, shares).loss, slow.mean(rows), x)  # type: ignore[arg-type]


def test_nothing_of_another_class_is_a_plain_class(loss: tuple[InversionLoss, Tensor]) -> None:
    objective, x = loss
    y = torch.tensor(Y)
    targets = mixed_targets(y, torch.tensor(OTHER), torch.zeros(4), 10)
    assert targets.tolist() == [[float(c == label) for c in range(10)] for label in Y]
    slow.assert_same(objective(x, targets).loss, objective(x, y).loss, x)
