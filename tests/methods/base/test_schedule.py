"""When rounds, steps and epochs fall."""

from __future__ import annotations

import pytest

from methods.base.schedule import Schedule


@pytest.mark.parametrize("steps", [1, 7, 200, 80_000])
@pytest.mark.parametrize("synthesis", [1, 3, 20, 220])
@pytest.mark.parametrize("warmup", [0, 1])
def test_everything_happens_exactly_as_often_as_asked(steps: int, synthesis: int, warmup: int) -> None:
    schedule = Schedule(steps, 20, synthesis, warmup)
    rounds = range(schedule.rounds)
    assert sum(schedule.steps_in(r) for r in rounds) == steps
    assert sum(schedule.synthesises(r) for r in rounds) == synthesis or synthesis == warmup
    assert schedule.synthesises(0)
    assert sum(schedule.closes_epoch(r) for r in rounds) == min(20, steps)
    assert max(schedule.steps_in(r) for r in rounds) == schedule.longest_round
    assert max(schedule.steps_in(r) for r in rounds) - min(schedule.steps_in(r) for r in rounds[warmup:]) <= 1


@pytest.mark.parametrize(
    ("steps", "epochs", "synthesis", "warmup"), [(80_000, 200, 50, 5), (37, 10, 4, 1), (5, 9, 3, 0)]
)
def test_synthesis_and_steps_are_spread_evenly(steps: int, epochs: int, synthesis: int, warmup: int) -> None:
    """At every moment as many as a straight line says: steps rounded down, syntheses rounded up."""
    schedule = Schedule(steps, epochs, synthesis, warmup)
    after, taken, made = schedule.rounds - warmup, 0, 0
    for position in range(after):
        made += schedule.synthesises(warmup + position)
        taken += schedule.steps_in(warmup + position)
        assert taken == (position + 1) * steps // after
        assert abs(made - (position + 1) * (synthesis - warmup) / after) <= 1
        assert made >= 1


def test_fast_on_cifar_is_the_published_schedule() -> None:
    schedule = Schedule(80_000, 200, 220, 20)
    assert [schedule.steps_in(r) for r in (0, 19, 20, 219)] == [0, 0, 400, 400]
    assert [schedule.epoch(r) for r in (0, 19, 20, 21, 219)] == [0, 0, 0, 1, 199]


@pytest.mark.parametrize("steps", [1, 7, 200])
@pytest.mark.parametrize(("synthesis", "warmup"), [(0, 0), (1, 0), (1, 1), (3, 1), (20, 2), (220, 20), (300, 0)])
def test_calls_are_counted_without_gaps(steps: int, synthesis: int, warmup: int) -> None:
    """The number of a call is how many rounds before it synthesise."""
    schedule, made = Schedule(steps, 200, synthesis, warmup), 0
    for index in range(schedule.rounds):
        assert schedule.calls_before(index) == made
        made += schedule.synthesises(index)
    assert schedule.calls_before(schedule.rounds) == made == synthesis
