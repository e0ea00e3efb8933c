from __future__ import annotations

import math

import pytest

from methods.parts.schedule import Schedule, cosine


@pytest.mark.parametrize("steps", [1, 7, 200, 80_000])
@pytest.mark.parametrize("synthesis", [1, 3, 20, 220])
@pytest.mark.parametrize("warmup", [0, 1])
def test_everything_happens_exactly_as_often_as_asked(steps: int, synthesis: int, warmup: int) -> None:
    schedule = Schedule(steps, 20, synthesis, warmup)
    rounds = range(schedule.rounds)
    assert sum(schedule.steps_in(r) for r in rounds) == steps
    assert sum(schedule.synthesizes(r) for r in rounds) == synthesis or synthesis == warmup
    assert schedule.synthesizes(0)
    assert sum(schedule.closes_epoch(r) for r in rounds) == min(20, steps)
    assert max(schedule.steps_in(r) for r in rounds) - min(schedule.steps_in(r) for r in rounds[warmup:]) <= 1


def test_fast_on_cifar_is_the_published_schedule() -> None:
    schedule = Schedule(80_000, 200, 220, 20)
    assert [schedule.steps_in(r) for r in (0, 19, 20, 219)] == [0, 0, 400, 400]
    assert [schedule.epoch(r) for r in (0, 19, 20, 21, 219)] == [0, 0, 0, 1, 199]


def test_cosine_is_the_closed_form() -> None:
    rates = cosine(0.2, 200, 2e-4)
    assert rates[0] == pytest.approx(0.2)
    assert rates[100] == pytest.approx((0.2 + 2e-4) / 2)
    assert rates[199] == pytest.approx(2e-4 + (0.2 - 2e-4) / 2 * (1 + math.cos(math.pi * 0.995)))
