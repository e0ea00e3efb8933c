"""A distillation step is the same operations on the same memory throughout a run, for every method and preset."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from torch import Tensor
from torch.utils._pytree import tree_leaves

import methods
from harness.commands.contract import CPU
from harness.engine.graphs import HeldStep
from harness.engine.lowered import lowered
from harness.engine.randomness import Streams
from harness.engine.sequence import Operation, difference, recorded
from methods.base.method import RoundLosses
from methods.base.teacher import FrozenTeacher
from tests import small
from tests.tape import Tape

STEPS = 8


def values(name: str, preset: str) -> dict[str, Any]:
    """A run of three or more rounds, of two or three steps each where they do not come out even."""
    budget = {"steps": 20 * STEPS, "epochs": 3}
    if not preset:
        return {**small.FEW, **budget}
    few = {"inversion_batch": 22, "bank": 44, "inner_steps": 1, "student_steps": 3, "rounds": 5, "warmup": 0}
    known = methods.load(name).Config.model_fields
    more = {key: value for key, value in few.items() if key in known}
    if preset == "nyuv2":
        more["generator"] = "fast"  # its own makes images of multiples of 16 pixels
    return small.options(name, preset, **more) | budget


REFERENCES = [(name, "") for name in methods.names() if not methods.load(name).presets]
CASES = small.once([*small.presets(), ("dfad", "nyuv2"), *REFERENCES], values)
"""Every method and reference, once with each set of options that differs when steps are few."""


def make(name: str, preset: str, **other: Any) -> Any:
    """A method that is not yet begun; ``other`` is of the context or, ``batch``, of the budget."""
    options = values(name, preset) | {key: other.pop(key) for key in ("batch",) if key in other}
    given = small.with_noise(small.context(*small.agreeing_pair(), scale=0.05, memory=other.pop("memory", 0)))
    return small.make(name, dataclasses.replace(given, **other), options)


def play(method: Any) -> list[RoundLosses]:
    clock = small.Stopwatch()
    return [method.round(index, clock) for index in range(method.schedule.rounds)]


def everything(method: Any) -> list[object]:
    """All of its state, the counters included."""
    leaves = tree_leaves([method.state_dict(), method.context.student.state_dict()])
    return [leaf.tolist() if isinstance(leaf, Tensor) else leaf for leaf in leaves]


@pytest.mark.parametrize(("name", "preset"), CASES)
def test_one_step_stands_for_all(name: str, preset: str) -> None:
    """All have one record but the first, which makes the optimizer's state.

    The one that is kept in the second round and played to the end leaves what Python's own steps leave, bit for bit.
    """
    stands_for_all(make(name, preset), make(name, preset))


@pytest.mark.parametrize("name", ["fast", "ssd-kd"])
def test_so_does_one_that_reads_what_the_teacher_said(name: str) -> None:
    mine, theirs = (make(name, "fast-2", memory=2**30, batch=128) for _ in range(2))
    assert mine.asking.once
    stands_for_all(mine, theirs)


@pytest.mark.parametrize(("name", "preset"), [("fast", "smoke"), ("zskt", "original"), ("dfad", "original")])
def test_so_does_one_in_bf16(name: str, preset: str) -> None:
    def low() -> Any:
        teacher, student = (lowered(network, CPU) for network in small.agreeing_pair())
        build = Streams(0, CPU, "bf16").build
        return make(name, preset, teacher=FrozenTeacher(teacher), student=student, build=build)

    stands_for_all(low(), low())


def stands_for_all(mine: Any, theirs: Any) -> None:
    """Two of the same, not yet begun."""
    records = watched(mine)
    held = HeldStep(theirs, Tape)
    losses, played = play(mine), play(theirs)
    assert len(records) == STEPS and len(records[1]) > 20
    assert [difference(records[1], later) for later in records[2:]] == [None] * (STEPS - 2)
    assert held._graph is not None
    assert played == losses
    assert everything(theirs) == everything(mine)


def watched(method: Any) -> list[list[Operation]]:
    """Records of all steps, as they come."""
    step, records = method.distill_step, []

    def watch() -> Any:
        losses, operations = recorded(step)
        records.append(operations)
        return losses

    method.distill_step = watch
    return records
