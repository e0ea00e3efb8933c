"""DAFL's terms against slow loops in float64."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from methods.base.teacher import TeacherOutput
from methods.dafl import DAFL, DAFLConfig
from methods.parts.losses import dafl_losses, weighted_sum
from tests.methods import slow

pytestmark = pytest.mark.usefixtures("double")


def outputs() -> tuple[Tensor, Tensor]:
    """Logits and pooled features of six samples."""
    random = torch.Generator().manual_seed(1)
    t, features = (2 * torch.randn(6, 4, generator=random) for _ in range(2))
    return t.requires_grad_(), features


def test_dafl_terms() -> None:
    t, features = outputs()
    losses = dafl_losses(TeacherOutput(t, features))
    mean = slow.mean_prediction(t)
    slow.assert_same(losses["entropy"], (mean * mean.log()).sum() / math.log(10), t)
    slow.assert_same(losses["one_hot"], slow.mean(slow.cross_entropies(t, slow.largest(t))), t)
    flat = [abs(value) for row in features.tolist() for value in row]
    assert losses["activation"].item() == pytest.approx(-sum(flat) / len(flat), rel=1e-10)


def test_dafl_counts_entropy_to_base_10_and_its_later_form_in_nats() -> None:
    """20 of the later form are 46.05 here."""
    t, features = outputs()
    config = DAFLConfig(**DAFL.presets["cmi"].all_options()[0])
    assert config.ie == pytest.approx(46.05, abs=0.005)
    mean = slow.mean_prediction(t)
    expected = slow.mean(slow.cross_entropies(t, slow.largest(t))) + 20 * (mean * mean.log()).sum()
    expected = expected - 0.001 * features.abs().mean()
    weights = {"one_hot": config.oh, "entropy": config.ie, "activation": config.a}
    slow.assert_same(weighted_sum(dafl_losses(TeacherOutput(t, features)), weights), expected, t)
