"""Streams: what they depend on, and that they leave PyTorch's global generator alone."""

from __future__ import annotations

import itertools

import pytest
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


def test_weights_of_another_index_are_others_and_come_again() -> None:
    """A network's second life, of which index 0 is the first."""

    def weights(index: int) -> torch.Tensor:
        return Streams(0, CPU).build("generator-init", lambda: nn.Linear(3, 3), index).weight

    lives = [weights(index) for index in range(4)]
    assert torch.equal(lives[0], Streams(0, CPU).build("generator-init", lambda: nn.Linear(3, 3)).weight)
    assert len({tuple(life.flatten().tolist()) for life in lives}) == 4
    assert all(torch.equal(weights(index), lives[index]) for index in (3, 1, 0, 2))


def test_building_does_not_touch_what_dropout_on_a_card_draws_from(monkeypatch: pytest.MonkeyPatch) -> None:
    seeded: list[int] = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", seeded.append)
    Streams(0, CPU).build("generator-init", lambda: nn.Linear(3, 3), 1)
    assert seeded == []
