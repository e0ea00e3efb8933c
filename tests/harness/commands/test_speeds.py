"""Against sums done by hand, of made-up records."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.commands.contract import tiny_cell
from harness.commands.speeds import Judged, Speeds
from harness.grid.cell import Cell
from harness.machine import facts
from harness.store.records import Flops, Metrics, Seconds
from methods.base.pair import Pair
from tests import factory

SMALL, LARGE = Pair.of("wrn10_1", "cnn3_16"), Pair.of("resnet34", "resnet18")


def asked(label: str = "fast", pair: Pair = SMALL) -> Cell:
    return replace(tiny_cell("fast", {}), label=label, pair=pair)


def took(synthesis: float, distillation: float, operations: tuple[int, int] = (1000, 1000), **changes: Any) -> Metrics:
    seconds = Seconds(startup=0.0, synthesis=synthesis, distillation=distillation, evaluation=0.0)
    flops = Flops(synthesis=operations[0], distillation=operations[1])
    return factory.metrics(seconds=seconds, flops=flops, **changes)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (asked(), Judged(2 * 0.010 + 5 * 0.020, "label and pair")),
        # the pair's two together: 50 s and 40 s of 2000 operations each
        (asked("dafl"), Judged(2 * 0.025 + 5 * 0.020, "pair")),
        # 10 s and 20 s, 100 s and 200 s of label fast
        (asked(pair=Pair.of("vgg11", "resnet18")), Judged(2 * 110 / 2000 + 5 * 220 / 2000, "label")),
        (asked("dafl", Pair.of("vgg11", "resnet18")), Judged(2 * 150 / 3000 + 5 * 240 / 3000, "device")),
    ],
)
def test_the_nearest_cells_tell(cell: Cell, expected: Judged) -> None:
    speeds = Speeds([(asked(), took(10, 20)), (asked("cmi"), took(40, 20)), (asked(pair=LARGE), took(100, 200))])
    found = speeds.judge(cell, Flops(synthesis=2, distillation=5))
    assert found is not None
    assert (found.seconds, found.by) == (pytest.approx(expected.seconds), expected.by)


def test_a_phase_that_the_nearest_cells_lack_is_judged_by_others() -> None:
    speeds = Speeds([(asked(), took(0, 20, (0, 1000))), (asked("cmi", LARGE), took(40, 20))])
    assert speeds.judge(asked(), Flops(synthesis=0, distillation=5)) == Judged(0.1, "label and pair")
    assert speeds.judge(asked(), Flops(synthesis=100, distillation=5)) == Judged(4.1, "device")


def test_one_device_counts_and_that_of_this_machine_before_others() -> None:
    early, late = ("2026-01-01T00:00:00+00:00", "2026-01-02T00:00:00+00:00")
    slow = (asked(), took(10, 10, device_name="slow", finished=early))
    fast = (asked(), took(1, 1, device_name="fast", finished=late))
    here = (asked(), took(5, 5, device_name=facts.cpu_name(), finished=early))
    assert Speeds([slow, fast]).device == "fast"
    judged = Speeds([fast, here, slow]).judge(asked(), Flops(synthesis=1000, distillation=0))
    assert judged == Judged(5.0, "label and pair")


def test_overloaded_machines_and_uncounted_runs_tell_nothing() -> None:
    waited = took(1000, 1000, cpu_seconds=Seconds(startup=0.0, synthesis=9.0, distillation=9.0, evaluation=0.0))
    assert waited.overloaded
    nothing = Speeds([(asked(), waited), (asked(), factory.metrics(flops=None))])
    assert nothing.device is None
    assert nothing.judge(asked(), Flops(synthesis=1, distillation=1)) is None
