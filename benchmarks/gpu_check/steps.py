"""What rounds of synthesis and distillation steps cost in every mode, beside what no method can do without."""

from __future__ import annotations

import functools
import statistics
import time
from collections.abc import Callable

import torch

from benchmarks.gpu_check import standins
from benchmarks.gpu_check.record import Found
from benchmarks.gpu_check.setting import FASTEST, MODES, PLAIN, Items, Mode, Setting
from harness.grid.cell import Cell
from harness.machine import card
from methods.base.method import Method
from methods.base.presets import RESNETS, WRN_16_1
from methods.parts.losses import kl_divergence

LABELS = ("ssd-kd", "fast-2", "dafl-cmi")
"""The replay buffer, the growing pool and the living generator: in every mode and on both pairs, the others in two."""
OTHERS = (
    *("nayer", "cpnet", "spaceshipnet", "pre-dfkd", "cmi", "deepinversion"),
    *("dafl-original", "dfad-cmi", "dfad-ema", "zskt-original", "zskt-cmi", "dfq"),
)
SCALE = 10.0
SIZES = {"inner_steps": 2}
"""Everything else as published."""
TINY_SIZES = SIZES | {"batch": 2, "inversion_batch": 4, "bank": 8, "negatives": 4, "rounds": 6, "warmup": 1}
BLOCKS, STEPS = 5, 10
"""Medians are of so many blocks; a block has so many steps, or a round's if it has fewer."""
WARM = 4
"""Rounds before the first block: a graph is captured in the second or third."""


def items(setting: Setting) -> Items:
    """An item for every label, pair and mode; the most telling ones first."""
    can = [mode for mode in MODES if standins.possible(mode)]
    two = [mode for mode in (PLAIN, FASTEST) if mode in can]
    chosen = [(pair, "ssd-kd", mode) for pair in (WRN_16_1, RESNETS) for mode in can]
    chosen += [(WRN_16_1, label, mode) for label in (*LABELS[1:], *OTHERS) for mode in two]
    chosen += [(pair, label, mode) for label in LABELS[1:] for pair in (WRN_16_1, RESNETS) for mode in can]
    chosen = chosen[:1] if setting.tiny else chosen
    return {
        f"{pair.folder} {label} {mode}": functools.partial(
            measure, standins.papers_cells(pair)[label], mode, setting.tiny
        )
        for pair, label, mode in chosen
    }


def measure(cell: Cell, mode: Mode, tiny: bool) -> Found:
    """Milliseconds of an inner step of synthesis and of a distillation step, floors, memory and energy."""
    device = standins.device()
    method = standins.build(standins.sized(cell, mode, SCALE, TINY_SIZES if tiny else SIZES))
    first, blocks = method.schedule.warmup, 1 if tiny else BLOCKS
    _reset_peak(device)
    inner = getattr(method.config, "inner_steps", 1)
    method.synthesise(0)
    synthesis = _median(functools.partial(method.synthesise, first), blocks, device) / inner
    joules, rounds = card.joules(device), iter(range(first, method.schedule.rounds))
    steps = min(2 if tiny else STEPS, method.schedule.longest_round)
    for _ in range(WARM):
        _distill(method, next(rounds), steps)
    distillation = _median(lambda: _distill(method, next(rounds), steps), blocks, device) / steps
    joules = None if joules is None else (card.joules(device) or 0.0) - joules
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    plain, inversion = (_median(floor, 5 * blocks, device) for floor in floors(method))
    return {
        "synthesis_ms": 1000 * synthesis,
        "distillation_ms": 1000 * distillation,
        "plain_step_ms": 1000 * plain,
        "inversion_floor_ms": 1000 * inversion,
        "batch": method.config.batch,
        "joules_per_step": None if joules is None else joules / (steps * (WARM + blocks)),
        "peak_memory_bytes": peak,
    }


def _distill(method: Method, index: int, steps: int) -> None:
    method.begin_round(index, steps)
    for _ in range(steps):
        method.distill_step()


def floors(method: Method) -> tuple[Callable[[], object], Callable[[], object]]:
    """A plain distillation step, and the networks' share of an inversion step, with the method's own networks.

    The first is a teacher's forward pass, a student's forward and backward pass, and SGD; the second the teacher's
    forward and backward pass to the image, and the student's forward pass. Eager, in the method's precision.
    """
    context = method.context
    optimizer = torch.optim.SGD(context.student.parameters(), 1e-3, momentum=0.9)
    made, asked = (
        _images(method, getattr(method.config, name, method.config.batch)) for name in ("inversion_batch", "batch")
    )
    made.requires_grad_()

    def plain() -> None:
        loss = kl_divergence(context.teacher.logits(asked), context.student(asked), 20.0).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def inversion() -> None:
        torch.autograd.grad(context.teacher(made).logits.logsumexp(1).sum(), made)
        with torch.no_grad():
            context.student(made)

    return plain, inversion


def _images(method: Method, batch: int) -> torch.Tensor:
    """Noise in the place of a batch of images."""
    device = method.context.device
    return torch.randn(batch, *method.context.task.shape, device=device).to(memory_format=torch.channels_last)


def _median(action: Callable[[], object], blocks: int, device: torch.device) -> float:
    """Seconds of one call, the device's work included: the median of so many."""
    return statistics.median(_seconds(action, device) for _ in range(blocks))


def _seconds(action: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    start = time.perf_counter()
    action()
    _wait(device)
    return time.perf_counter() - start


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _reset_peak(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
