"""Streams: what they depend on, and that they leave PyTorch's global generator alone."""

from __future__ import annotations

import itertools

import torch
from torch import nn

from harness.engine.randomness import Streams

CPU = torch.device("cpu")


def draw(seed: int, stream: str, index: int = 0) -> list[float]:
    return torch.rand(4, generator=Streams(seed, CPU).random(stream, index)).tolist()


def test_a_stream_depends_on_seed_name_and_index_alone() -> None:
    asked = list(itertools.product((0, 1), ("noise", "nois", "1/noise"), (0, 1, 11)))
    found = {arguments: draw(*arguments) for arguments in asked}
    assert len({tuple(values) for values in found.values()}) == len(asked)
    assert all(draw(*arguments) == values for arguments, values in reversed(found.items()))


def test_initial_weights_are_a_streams_and_global_randomness_stays() -> None:
    before = torch.get_rng_state()
    first, second, other = (
        Streams(seed, CPU).build("student-init", lambda: nn.Linear(3, 3)).weight for seed in (0, 0, 1)
    )
    assert torch.equal(first, second)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
