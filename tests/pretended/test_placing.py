"""A pool in main memory beside a card that has no room for it: the same run, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from harness.engine import checkpoint
from methods.base.method import Losses
from tests import small
from tests.pretended.device import DEVICE

NO_ROOM, PLENTY = 1, 2**30


def make(name: str, memory: int) -> Any:
    """More views than draws: answers, which a card without room does not keep, are kept in neither."""
    teacher, student = (made.to(DEVICE) for made in small.agreeing_pair())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small, "CPU", DEVICE)
        given = small.context(teacher, student, scale=0.05, memory=memory, pad=4)
    options = small.FEW if name == "kd-noise" else small.options(name)
    return small.make(name, given, options | {"epochs": 2})


def play(method: Any, first: int, last: int) -> list[dict[str, float]]:
    """Losses of some of its rounds."""
    rounds = [method.round(index, small.Stopwatch()) for index in range(first, last)]
    return [numbers(losses) for found in rounds for losses in (*found.synthesis, *found.distillation)]


def numbers(losses: Losses) -> dict[str, float]:
    assert all(loss.device == DEVICE for loss in losses.values())
    return {name: loss.item() for name, loss in losses.items()}


def weights(method: Any) -> list[Tensor]:
    return [value.cpu() for value in method.context.student.state_dict().values()]


def stored(method: Any) -> Tensor:
    """Images, or the maps that they are made of."""
    pixels: Tensor = method.source.rows if method.name == "spaceshipnet" else method.source.store.pixels
    return pixels


@pytest.mark.parametrize("name", ["fast", "ssd-kd", "kd-noise", "spaceshipnet"])
def test_a_pool_in_main_memory_is_the_same_pool(name: str, tmp_path: Path) -> None:
    there, beside = (make(name, memory) for memory in (PLENTY, NO_ROOM))
    assert [stored(method).device for method in (there, beside)] == [DEVICE, torch.device("cpu")]
    assert [method.placing.on_device for method in (there, beside)] == [True, False]
    half, end = there.schedule.rounds // 2, there.schedule.rounds
    assert play(beside, 0, half) == play(there, 0, half)
    checkpoint.save(tmp_path / "half", {"method": there.state_dict(), "student": there.context.student.state_dict()})
    state, later = checkpoint.load(tmp_path / "half", DEVICE), make(name, NO_ROOM)
    assert state is not None
    later.load_state_dict(state["method"])  # a card with room began, one without goes on
    later.context.student.load_state_dict(state["student"])
    assert play(later, half, end) == play(beside, half, end) == play(there, half, end)
    for method in (later, beside):
        assert all(map(torch.equal, weights(method), weights(there)))
        assert torch.equal(method.synthetic_images(5).cpu(), there.synthetic_images(5).cpu())
