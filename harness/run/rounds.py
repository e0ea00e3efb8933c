"""One round of a method on shapes alone: its operations, and what autograd keeps. Counted as seldom as it can be."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import torch

from harness.data.own import OwnData
from harness.engine import shapes
from harness.engine.flops import FlopClock, count_flops, has_own_loop
from harness.engine.passes import kept_by_autograd
from harness.grid.cell import Cell
from harness.run import shaped
from harness.run.assemble import steps_for
from harness.store.records import Flops
from methods.base.method import Method, MethodConfig


@dataclass(frozen=True)
class Round:
    """One call of `synthesise`, and one `distill_step`."""

    flops: Flops
    activations: Mapping[str, int]
    """Bytes that autograd keeps at most, by phase."""
    answer: int
    """Operations of one image's way through the teacher."""


def of(cell: Cell, whole: Method) -> Round:
    """A round of ``whole``, the cell's method. Raises whatever the method raises."""
    setup = _Setup.of(cell, whole)
    habits = _habits.setdefault(setup.label, _Habits(setup))
    counted = functools.partial(_counted, setup)
    scale = habits.scale_like(cell.scale, setup, counted)
    first, inner = counted(scale), getattr(setup.config, "inner_steps", 1)
    made = first.flops.synthesis
    more = habits.inner_step(made, lambda: counted(scale, 2).flops.synthesis) if inner > 1 else 0
    return replace(first, flops=Flops(synthesis=made + (inner - 1) * more, distillation=first.flops.distillation))


@dataclass(frozen=True)
class _Label:
    """What decides the shapes of a round beside networks, data scale and inner steps."""

    method: type[Method]
    steps: int
    """Of the student in a round, where a loop of its own may make images as they need."""
    images: int
    """Of the whole dataset."""
    options: str
    """Of a number with a fraction only whether it is 0."""


@dataclass(frozen=True)
class _Setup:
    """A label on a pair."""

    label: _Label
    data: str | OwnData
    networks: tuple[str, str]
    cell: Cell = field(compare=False)
    config: MethodConfig = field(compare=False)

    @classmethod
    def of(cls, cell: Cell, whole: Method) -> _Setup:
        """Of a cell at any scale and seed."""
        steps = whole.schedule.longest_round if has_own_loop(whole) else 1
        cell = replace(cell, scale=100.0, seed=0)
        config = shaped.config_of(cell)
        options = {name: bool(value) if isinstance(value, float) else value for name, value in config}
        for counted in ("steps", "inner_steps"):
            options.pop(counted, None)
        label = _Label(type(whole), steps, whole.context.task.reference_size, repr(options))
        return cls(label, cell.data, (cell.teacher_network, cell.student_network), cell, config)


class _Habits:
    """What the rounds of a label have in common: found on the first pair, and taken to be so on all."""

    def __init__(self, first: _Setup) -> None:
        self._first = first
        self._found: dict[float, Flops] = {}
        self._once_a_call: bool | None = None

    def scale_like(self, scale: float, setup: _Setup, counted: Callable[[float], Round]) -> float:
        """A data scale that has the same round as ``scale``, often one that was counted."""
        if setup == self._first and self._known(scale) is None:
            self._found[scale] = counted(scale).flops  # what autograd keeps can vary a little for the same round
        return self._known(scale) or scale

    def _known(self, scale: float) -> float | None:
        """The smallest scale with the same round, if that is known. What is so at two scales is so between them."""
        below = max((known for known in self._found if known <= scale), default=None)
        above = min((known for known in self._found if known >= scale), default=None)
        if below is None or above is None or self._found[below] != self._found[above]:
            return None
        return min(known for known, found in self._found.items() if found == self._found[below])

    def inner_step(self, first: int, two: Callable[[], int]) -> int:
        """Operations of each inner step after the ``first``, which holds what happens once a call; ``two``: of both."""
        if self._once_a_call is None:
            self._once_a_call = two() != 2 * first
        return two() - first if self._once_a_call else first


_habits: dict[_Label, _Habits] = {}


@functools.cache
def _counted(setup: _Setup, scale: float, inner: int = 1) -> Round:
    try:
        return _carried_out(setup, scale, inner, remember=True)
    except RuntimeError:  # it wants gradients of what is inside a network
        return _carried_out(setup, scale, inner)


def _carried_out(setup: _Setup, scale: float, inner: int, *, remember: bool = False) -> Round:
    cell, steps = replace(setup.cell, scale=scale), setup.label.steps
    fixed = {"inner_steps": inner} if hasattr(setup.config, "inner_steps") else {}

    def small(given: int) -> Method:
        config = setup.config.model_copy(update={"steps": steps_for(given, scale), **fixed})
        return shaped.build(cell, config, remember=remember)

    with shapes.alone() as counter:
        clock = CostClock(counter)
        counted = count_flops(small, 1, steps, clock)
        flops = Flops(synthesis=counted.synthesis, distillation=counted.distillation // steps)
        image = torch.zeros(1, *shaped.task_of(cell.data).shape, device=shapes.META)
        answer = clock.of_answer(shaped.teacher_of(cell.teacher_network, cell.data, remember), image)
    return Round(flops, clock.saved, answer)


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
    _habits.clear()
    _counted.cache_clear()
