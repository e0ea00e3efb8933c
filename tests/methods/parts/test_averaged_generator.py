"""A generator's moving average against its closed form, and the batches that it takes part in."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._pytree import tree_leaves

from methods.parts.averaged_generator import follow
from tests import small


def dfad(preset: str, **more: Any) -> Any:
    return small.make("dfad", small.context(*small.agreeing_pair(), scale=0.2), small.options("dfad", preset, **more))


@pytest.mark.usefixtures("double")
def test_equal_increments() -> None:
    """After n of d the average is d α (1 - αⁿ) / (1 - α) behind; what counts is copied."""
    network, alpha, n, d = nn.BatchNorm2d(3), 0.9, 7, 0.25
    average = copy.deepcopy(network)
    for _ in range(n):
        for value in network.state_dict().values():
            value += d if value.is_floating_point() else 1
        follow(average, network, alpha)
    behind = d * alpha * (1 - alpha**n) / (1 - alpha)
    for name in ("weight", "bias", "running_mean", "running_var"):
        mine, theirs = average.state_dict()[name], network.state_dict()[name]
        assert (theirs - mine).tolist() == pytest.approx([behind] * 3, rel=1e-12)
    assert average.num_batches_tracked == network.num_batches_tracked == n


def test_half_of_a_batch_comes_from_the_average() -> None:
    method = dfad("ema")
    start = copy.deepcopy(method.inverter.generator.state_dict())
    method.synthesise(0)
    method.begin_round(0, 1)
    x, generator = method.source.draw().x, method.inverter.generator.eval()
    z = torch.randn(8, 16, generator=method.context.random("live", 0))
    with torch.no_grad():
        assert torch.equal(x[:4], method.inverter.normalise(generator(z[:4])))
        now = generator.state_dict()
        mixed = {key: 0.95 * start[key] + 0.05 * now[key] for key in now}
        generator.load_state_dict(mixed)
        assert torch.allclose(x[4:], method.inverter.normalise(generator(z[4:])), atol=1e-5)


def test_an_average_without_a_share_changes_nothing() -> None:
    mine, theirs = dfad("ema", ema_share=0.0), dfad("cmi")
    for index in range(3):
        assert mine.round(index, small.Stopwatch()) == theirs.round(index, small.Stopwatch())
    students = [tree_leaves(method.context.student.state_dict()) for method in (mine, theirs)]
    assert all(torch.equal(a, b) for a, b in zip(*students, strict=True))
