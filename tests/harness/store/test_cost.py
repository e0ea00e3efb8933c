"""Which seconds count, and when they do not."""

from __future__ import annotations

import pytest

from harness.store.records import Seconds
from tests import factory


def seconds(working: float, startup: float = 2.0) -> Seconds:
    """Two thirds of the work on synthesis."""
    return Seconds(startup=startup, synthesis=working * 2 / 3, distillation=working / 3, evaluation=100.0)


@pytest.mark.parametrize(
    ("wall", "cpu", "overloaded"),
    [
        (30.0, 29.0, False),
        (37.4, 30.0, False),
        (37.6, 30.0, True),
        (287.6, 18.0, True),
        (30.0, 110.0, False),  # four threads
        (3.0, 0.9, False),  # too short to tell
        (3.0, 1.1, True),
        (0.0, 0.0, False),
    ],
)
def test_on_a_processor_the_seconds_on_cores_count(wall: float, cpu: float, overloaded: bool) -> None:
    result = factory.metrics(seconds=seconds(wall, startup=90.0), cpu_seconds=seconds(cpu), device="cpu")
    assert result.cost.end_to_end == pytest.approx(cpu + 2.0)
    assert result.overloaded is overloaded


@pytest.mark.parametrize(
    ("sharers", "share", "overloaded"),
    [(None, 1, False), (0, 1, False), (1, 1, True), (7, 1, True), (None, 3, False), (2, 3, False), (3, 3, True)],
)
def test_on_a_gpu_the_wall_counts_and_who_else_was_there(sharers: int | None, share: int, overloaded: bool) -> None:
    told = {"device": "cuda", "device_sharers": sharers, "share": share}
    result = factory.metrics(seconds=seconds(30.0), cpu_seconds=seconds(3.0), **told)
    assert result.cost.end_to_end == pytest.approx(32.0)
    assert result.overloaded is overloaded
