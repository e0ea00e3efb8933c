"""What a cell will cost, judged by the shapes of one round: operations, and memory on its device."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from harness.data.own import OwnData
from harness.engine import shapes
from harness.engine.flops import FlopClock, asked, count_flops, has_own_loop
from harness.engine.passes import kept_by_autograd
from harness.grid.cell import Cell
from harness.machine.devices import device_memory
from harness.run import shaped
from harness.store.records import Flops
from methods.base.method import Method, MethodConfig
from methods.base.placing import Placing

ASSUMED_MEMORY = 80 * 2**30
"""Bytes of a device that is not here: a recent data-centre GPU, our choice."""
HEADROOM = 1.25
"""Peak over what autograd keeps: gradients of activations, workspace of convolutions. Our choice."""


@dataclass(frozen=True)
class Cost:
    """Of a whole run; rough, for plans and warnings."""

    flops: Flops
    resident: int
    """Bytes that a run holds on its device all the time: networks, optimizers, images."""
    activations: int
    """Bytes that grow with the batch, at the peak, in fp32: with `bf16` most of them take half."""
    placing: Placing | None = None
    """Where the images lie; None where none are stored."""

    @property
    def memory(self) -> int:
        """Bytes at the peak."""
        return self.resident + self.activations


def estimate(cell: Cell) -> Cost | None:
    """The cost of one cell; None if its method fails in the round that would tell, or needs more than shapes.

    Raises ConfigError like `method_config`. A method that makes fewer images a call at a small data scale is taken to
    make as many as at 100 %.
    """
    setup = replace(cell, scale=100.0, seed=0)
    config = shaped.config_of(setup)
    try:
        with shapes.alone():
            whole = shaped.build(cell, config, device_memory(cell.device) or ASSUMED_MEMORY)
        round_ = _round(_Alike.of(setup, config), whole.schedule.longest_round if has_own_loop(whole) else 1)
    except Exception:  # noqa: BLE001 - whatever a method's file raises: the run will tell it, with its traceback
        return None
    inner = getattr(config, "inner_steps", 1)
    flops = Flops(
        synthesis=round_.flops.synthesis * inner * whole.schedule.synthesis_rounds,
        distillation=round_.flops.distillation * whole.schedule.steps,
    )
    if whole.asking:
        flops = asked(flops, whole.asking, round_.answer)
    held = resident(whole) - (_beside(whole.placing) if cell.device != "cpu" else 0)
    return Cost(flops, held, round(HEADROOM * max(round_.activations.values())), whole.placing)


def _beside(placing: Placing | None) -> int:
    """Bytes of images that are not on the device."""
    return 0 if placing is None or placing.on_device else placing.bytes


@dataclass(frozen=True)
class _Round:
    """One call of `synthesise` with one inner step, and one `distill_step`."""

    flops: Flops
    activations: Mapping[str, int]
    answer: int
    """Operations of one image's way through the teacher."""


@dataclass(frozen=True)
class _Alike:
    """What decides the shapes of a round: no inner steps, and of a number with a fraction only whether it is 0."""

    method: type[Method]
    data: str | OwnData
    networks: tuple[str, str]
    options: str
    setup: Cell = field(compare=False)
    config: MethodConfig = field(compare=False)

    @classmethod
    def of(cls, setup: Cell, config: MethodConfig) -> _Alike:
        """Of all seeds and scales of a label."""
        if hasattr(config, "inner_steps"):
            config = config.model_copy(update={"inner_steps": 1})
        options = {name: bool(value) if isinstance(value, float) else value for name, value in config}
        networks = setup.teacher_network, setup.student_network
        return cls(shaped.class_of(setup), setup.data, networks, repr(options | {"steps": 1}), setup, config)


@functools.cache
def _round(alike: _Alike, steps: int) -> _Round:
    """Of so many of the student's steps. Asked for once for all seeds and scales of a label."""
    try:
        return _carried_out(alike, steps, remember=True)
    except RuntimeError:  # it wants gradients of what is inside a network
        return _carried_out(alike, steps)


def _carried_out(alike: _Alike, steps: int, *, remember: bool = False) -> _Round:
    cell, config = alike.setup, alike.config

    def small(given: int) -> Method:
        return shaped.build(cell, config.model_copy(update={"steps": given}), remember=remember)

    with shapes.alone() as counter:
        clock = CostClock(counter)
        counted = count_flops(small, 1, steps, clock)
        flops = Flops(synthesis=counted.synthesis, distillation=counted.distillation // steps)
        image = torch.zeros(1, *shaped.task_of(cell.data).shape, device=shapes.META)
        answer = clock.of_answer(shaped.teacher_of(cell.teacher_network, cell.data, remember), image)
    return _Round(flops, clock.saved, answer)


@dataclass
class CostClock(FlopClock):
    """Counts operations, and what autograd keeps for the backward pass, by phase."""

    saved: dict[str, int] = field(default_factory=lambda: {"synthesis": 0, "distillation": 0})

    @contextmanager
    def _count(self, phase: str) -> Iterator[None]:
        with kept_by_autograd() as kept, super()._count(phase):
            yield
        self.saved[phase] = max(self.saved[phase], sum(kept.values()))


def forget() -> None:
    """Count everything again when it is asked for next."""
    _round.cache_clear()
    shaped.forget()


def resident(method: Method) -> int:
    """Bytes of the method's state, of the teacher, and of the student's gradients and momentum."""
    context = method.context
    student = sum(parameter.nbytes for parameter in context.student.parameters())
    return _bytes(method.state_dict()) + context.teacher.nbytes + 2 * student


def _bytes(state: Any) -> int:
    if isinstance(state, Tensor):
        return state.nbytes
    if isinstance(state, Mapping):
        return sum(_bytes(value) for value in state.values())
    return sum(_bytes(value) for value in state) if isinstance(state, list | tuple) else 0
