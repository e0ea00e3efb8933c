"""When things happen, counted on the real schedule of every cell of workflow/config: no image is made, none is learned.

Expected values are the official code's (Fast: 220 calls, counted from 1) and docs/ssd-kd.md's, at the same share.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import pytest
import torch

from harness import ROOT, data
from harness.grid import grid
from harness.grid.cell import Cell
from harness.grid.paths import CONFIGS
from harness.run.assemble import method_class, method_config, method_prior
from methods.base.method import RoundLosses
from methods.base.prior import Prior
from methods.base.schedule import Schedule
from methods.parts.composed import Synthesised
from tests import small

SMALL = {"generator_width": 2, "nz": 4, "generator": "fast", "bank": 8}
DECIDING = ("steps", "epochs", "inversion_batch", "rounds", "warmup", "reset", "student_steps")
"""Options that moments depend on."""
REFERENCE_SIZE = {name: data.load(name, verify=False).task.reference_size for name in data.names()}


@dataclass
class Moments:
    """Numbers of calls of synthesis, counted from 1."""

    calls: list[int] = field(default_factory=list)
    adversarial: list[int] = field(default_factory=list)
    resets: list[int] = field(default_factory=list)
    before_distillation: int | None = None
    """How many calls came before the student's first step."""


def cells(method: str | None = None) -> Iterator[Any]:
    """Every cell of workflow/config that differs in what moments depend on, but for those on images of one's own."""
    seen: set[object] = set()
    for file in sorted((ROOT / CONFIGS).glob("*.yaml")):
        for cell in grid.load_grid(file).cells:
            if method not in (None, cell.method) or cell.dataset not in REFERENCE_SIZE:
                continue
            config = method_config(cell)
            deciding = tuple(getattr(config, name, None) for name in DECIDING)
            what = (cell.method, REFERENCE_SIZE[cell.dataset], cell.scale, deciding)
            if what not in seen:
                seen.add(what)
                yield pytest.param(cell, id=f"{file.stem}-{cell.label}-{cell.dataset}-{cell.scale:g}")


def build(cell: Cell) -> Any:
    """The cell's method on images of 4 × 4 pixels, with small networks."""
    networks = small.network("cnn3_16", 1), small.network("cnn3_16", 2)
    given = small.context(
        *networks, scale=cell.share, reference_size=REFERENCE_SIZE[cell.dataset], shape=(1, 4, 4), pad=0
    )
    if method_prior(cell) is Prior.REAL_IMAGES:
        given = small.with_noise(given)
    config = method_config(cell)
    return method_class(cell)(config.model_copy(update={k: v for k, v in SMALL.items() if hasattr(config, k)}), given)


def moments(method: Any, monkeypatch: pytest.MonkeyPatch) -> Moments:
    """Lets all rounds pass with the method's hooks in place of its work."""
    found, empty = Moments(), Synthesised(torch.empty(0, 1, 4, 4), {})

    def synthesise(call: int) -> Synthesised:
        found.calls.append(call + 1)
        return decide(call)

    def invert(random: torch.Generator, adversarial: bool) -> Synthesised:
        found.adversarial += found.calls[-1:] if adversarial else []
        return empty

    decide = method.inverter.synthesise if hasattr(method.inverter, "_invert") else lambda call: empty
    monkeypatch.setattr(method.inverter, "synthesise", synthesise)
    monkeypatch.setattr(method.inverter, "_invert", invert, raising=False)
    monkeypatch.setattr(method.inverter, "_reset", lambda random: found.resets.append(found.calls[-1]), raising=False)
    monkeypatch.setattr(method.source, "admit", lambda images, call, extras: {})
    for index in range(method.schedule.rounds):
        if found.before_distillation is None and steps_follow(method.schedule, index):
            found.before_distillation = len(found.calls)
        method._make(index, small.Stopwatch(), RoundLosses())
    return found


def steps_follow(schedule: Schedule, index: int) -> bool:
    """Whether the student learns in this round, or would if it had as many steps as there are rounds."""
    return replace(schedule, steps=max(schedule.steps, schedule.rounds)).steps_in(index) > 0


def nearest(share: Fraction) -> int:
    return math.floor(share + Fraction(1, 2))


@pytest.mark.parametrize("cell", list(cells()))
def test_every_call_comes_once_and_in_order(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    method = build(cell)
    if hasattr(method.config, "student_steps"):  # up to 240,000 rounds, and every one of them has the generator's step
        assert (method.schedule.synthesis_rounds, method.schedule.warmup) == (method.schedule.rounds, 0)
        return
    found = moments(method, monkeypatch)
    assert found.calls == list(range(1, method.schedule.synthesis_rounds + 1))
    if not hasattr(method.config, "warmup"):
        assert (found.before_distillation, found.resets) == (0, [])


@pytest.mark.parametrize("cell", list(cells("fast")))
def test_fast_does_everything_at_the_official_share_of_its_calls(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 220 calls 20 come before the student's first step, the 20th has the adversarial term, the 140th the reset."""
    method = build(cell)
    calls = math.ceil(method.context.images / method.config.inversion_batch)
    warmup = min(nearest(Fraction(20, 220) * calls), calls - 1)
    reset = max(2, nearest(Fraction(140, 220) * calls))
    found = moments(method, monkeypatch)
    assert len(found.calls) == calls
    assert found.before_distillation == warmup
    assert found.adversarial == list(range(max(1, warmup), calls + 1))
    assert found.resets == ([reset] if calls > 1 else [])


@pytest.mark.parametrize("cell", [*cells("nayer"), *cells("cpnet")])
def test_with_noisy_layers_the_student_starts_at_the_official_share(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NAYER-100, CPNet-100: after 200 of 400 batches, with the first whose loss has the adversarial term."""
    method = build(cell)
    calls = math.ceil(method.context.images / method.config.inversion_batch)
    found = moments(method, monkeypatch)
    assert len(found.calls) == calls
    assert found.before_distillation == method.inverter.lives.warmup
    assert found.before_distillation in {math.floor(calls / 2), min(math.ceil(calls / 2), calls - 1)}


@pytest.mark.parametrize("cell", list(cells("ssd-kd")))
def test_ssd_kd_does_everything_in_the_calls_of_its_document(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 220 calls W are warm-up, all without the adversarial term; the reset comes in call 120 + W."""
    method = build(cell)
    slots, rounds = method.context.images, method.config.rounds
    batch = min(method.config.inversion_batch, max(32, math.ceil(slots / 4)))
    warmup = min(method.config.warmup, math.ceil(slots / batch), rounds - 1)
    found = moments(method, monkeypatch)
    assert len(found.calls) == rounds
    assert found.before_distillation == warmup
    assert found.adversarial == list(range(warmup + 1, rounds + 1))
    assert found.resets == [warmup + nearest(Fraction(120, 220) * rounds)]


@pytest.mark.parametrize(
    ("percent", "fast", "ssd_kd"), [(100, 125, 140), (20, 25, 140), (10, 13, 140), (5, 6, 130), (1, 2, 124)]
)
def test_resets_on_cifar(percent: int, fast: int, ssd_kd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 196, 40, 20, 10 and 2 calls, and of 220 each."""
    for name, expected in (("fast", fast), ("ssd-kd", ssd_kd)):
        method = small.build_full(name, "fast-2", scale=percent / 100)
        assert moments(method, monkeypatch).resets == [expected]


def test_the_official_schedule_at_its_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    found = moments(small.build_full("fast", "fast-2", reference_size=220 * 256), monkeypatch)
    assert (found.before_distillation, found.adversarial[0], found.resets) == (20, 20, [140])


@pytest.mark.parametrize("epochs", [1, 7, 20, 200, 2000])
@pytest.mark.parametrize("name", ["fast", "ssd-kd"])
def test_evaluations_move_no_moment(name: str, epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More epochs than calls make rounds that only distill."""
    expected = moments(small.build_full(name, "fast-2", scale=0.1), monkeypatch)
    assert moments(small.build_full(name, "fast-2", scale=0.1, epochs=epochs), monkeypatch) == expected
