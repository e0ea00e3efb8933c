"""φ against a slow float64 reference, and when warm-up and reset come."""

from __future__ import annotations

import math

import pytest
import torch

from methods.ssd_kd import modulation
from tests import small


def test_phi_is_the_formula() -> None:
    logits = torch.randn(8, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    share = [0.1, 0.4, 0.2, 0.3, 0.0]
    for row, phi in zip(logits.tolist(), modulation(logits, torch.tensor(share).double(), 2.0).tolist(), strict=True):
        powers = [math.exp(v) for v in row]
        c = powers.index(max(powers))
        assert phi == pytest.approx((1 - share[c]) * (1 - powers[c] / sum(powers)) ** 2, rel=1e-6)


def test_phi_of_an_empty_buffer_and_of_a_certain_teacher() -> None:
    logits = torch.tensor([[0.0, 0.0], [200.0, 0.0]])
    assert modulation(logits, torch.zeros(2), 2.0).tolist() == pytest.approx([0.25, 0.0])
    uniform = modulation(logits, torch.full((2,), 0.5), 2.0, difficulty=False)
    assert uniform.tolist() == pytest.approx([0.5, 0.5])


def test_fewer_warm_up_rounds_if_the_buffer_is_full_earlier() -> None:
    method = small.build("ssd-kd", rounds=100, warmup=20, inversion_batch=256)
    assert method.schedule.warmup == 3  # 65 images, 32 a round


def test_adversarial_term_is_off_during_warm_up_alone() -> None:
    method = small.build("ssd-kd", warmup=2)
    names = [set(method.synthesise(index)) for index in range(3)]
    assert ["adversarial" in found for found in names] == [False, False, True]
