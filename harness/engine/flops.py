"""Floating-point operations of a run: counted once on a spare copy of the method, then multiplied."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from harness.store.records import Flops
from methods.base.asking import Asking
from methods.base.method import Method, RoundLosses
from methods.base.teacher import FrozenTeacher


@dataclass
class FlopClock:
    """A clock that counts operations instead of seconds: with its own counter, or with one that is at work already."""

    counter: Any = None
    total: dict[str, int] = field(default_factory=lambda: {"synthesis": 0, "distillation": 0})

    @contextmanager
    def synthesis(self) -> Iterator[None]:
        """Count the making of images."""
        with self._count("synthesis"):
            yield

    @contextmanager
    def distillation(self) -> Iterator[None]:
        """Count the training of the student."""
        with self._count("distillation"):
            yield

    def of_answer(self, teacher: FrozenTeacher, x: Tensor) -> int:
        """Operations of the way of one image ``x`` [1, C, H, W] through the teacher."""
        with nullcontext(self.counter) if self.counter else _Counter() as counter:
            before = counter.total
            teacher.logits(x)
            return int(counter.total - before)

    @contextmanager
    def _count(self, phase: str) -> Iterator[None]:
        with nullcontext(self.counter) if self.counter else _Counter() as counter:
            before = counter.total
            yield
            self.total[phase] += counter.total - before


class _Counter(TorchDispatchMode):
    """Adds up PyTorch's own formulas. Its FlopCounterMode does the same per module, but not under autograd.grad."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if formula := flop_registry.get(func._overloadpacket):
            self.total += formula(*args, **(kwargs or {}), out_val=out)
        return out


def count_flops(
    build: Callable[[int], Method],
    synthesis_calls: int,
    steps: int,
    clock: FlopClock | None = None,
    asking: Asking | None = None,
) -> Flops:
    """Operations of a run with this many calls of `synthesise` and `distill_step`.

    Args:
        build: makes a fresh method that takes about the given number of distillation steps in all, and asks its teacher
            at every draw.
        synthesis_calls: of the whole run.
        steps: of the whole run.
        clock: what counts, if it shall count more than operations.
        asking: how the whole run asks its teacher; None for at every draw.

    The first round after the warm-up is counted, with one step or two in it, or with all of them where a method has
    a loop of its own; matrix products and convolutions count.
    Torch's global generator, which a student with dropout draws from, is left as it was.
    """
    with torch.random.fork_rng():
        return _count(build, synthesis_calls, steps, clock or FlopClock(), asking)


def _count(
    build: Callable[[int], Method], synthesis_calls: int, steps: int, clock: FlopClock, asking: Asking | None
) -> Flops:
    method = build(steps)
    if not has_own_loop(method) and method.schedule.distillation_rounds != steps:
        method = build(method.schedule.distillation_rounds)
    warmup = method.schedule.warmup
    if warmup:
        method.round(0, FlopClock(clock.counter))
    counted = RoundLosses()
    for index in range(warmup, method.schedule.rounds):
        losses = method.round(index, clock)
        counted.synthesis += losses.synthesis
        counted.distillation += losses.distillation
        if counted.synthesis and counted.distillation:
            break
    found = Flops(
        synthesis=_scaled(clock.total["synthesis"], len(counted.synthesis), synthesis_calls),
        distillation=_scaled(clock.total["distillation"], len(counted.distillation), steps),
    )
    if asking is None:
        return found
    image = torch.zeros(1, *method.context.task.shape, device=method.context.device)
    return asked(found, asking, clock.of_answer(method.context.teacher, image))


def has_own_loop(method: Method) -> bool:
    """Whether what a round synthesises may depend on how many steps the student takes in it."""
    return type(method).round is not Method.round


def asked(flops: Flops, asking: Asking, answer: int) -> Flops:
    """Operations of a run that asks so, from those of one that asks at every draw, and those of one ``answer``."""
    saved = asking.draws - asking.at_draws - asking.remembered
    return Flops(synthesis=flops.synthesis, distillation=flops.distillation - answer * saved)


def _scaled(total: int, counted: int, calls: int) -> int:
    return total * calls // counted if counted else 0
