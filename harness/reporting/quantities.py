"""What is measured in a run and summarised over its seeds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.store.records import Metrics


@dataclass(frozen=True)
class Quantity:
    """A number that a run has."""

    name: str
    """In the csv files, where it has a ``_mean`` and an ``_sd``."""
    of: Callable[[Metrics], float | None]
    """None where the run did not get there, or its method or device does not tell."""


SCALE = Quantity("scale", lambda metrics: metrics.scale)

FINAL = Quantity("final", lambda metrics: metrics.final)
BEST = Quantity("best_selected_on_test", lambda metrics: metrics.best)
BEST_EPOCH = Quantity("best_epoch", lambda metrics: metrics.best_epoch)
AGREEMENT = Quantity("agreement", lambda metrics: metrics.agreement)

COST = Quantity("cost_seconds", lambda metrics: metrics.cost.end_to_end)
"""The headline: seconds on cores where a processor did the work, on the wall where a GPU did."""
STARTUP = Quantity("cost_startup_seconds", lambda metrics: metrics.cost.startup)
SYNTHESIS = Quantity("cost_synthesis_seconds", lambda metrics: metrics.cost.synthesis)
DISTILLATION = Quantity("cost_distillation_seconds", lambda metrics: metrics.cost.distillation)
WALL = Quantity("wall_seconds", lambda metrics: metrics.seconds.end_to_end)
CPU = Quantity("cpu_seconds", lambda metrics: metrics.cpu_seconds.end_to_end)
EVALUATION = Quantity("evaluation_wall_seconds", lambda metrics: metrics.seconds.evaluation)
WAITING = Quantity("waiting_wall_seconds", lambda metrics: metrics.seconds.waiting)
LOST = Quantity("lost_wall_seconds", lambda metrics: metrics.seconds.lost)

IMAGES = Quantity("images", lambda metrics: metrics.images)
SYNTHESISED = Quantity("images_synthesised", lambda metrics: metrics.images_synthesised)
ROUNDS = Quantity("synthesis_rounds", lambda metrics: metrics.synthesis_rounds)
STEPS = Quantity("steps", lambda metrics: metrics.steps)
VIEWS = Quantity("views", lambda metrics: metrics.views)
INNER_STEPS = Quantity("inner_steps", lambda metrics: metrics.inner_steps)
FORWARDS = Quantity("teacher_forwards", lambda metrics: metrics.teacher_forwards)

OPERATIONS = Quantity("flops", lambda metrics: _flops(metrics, "synthesis", "distillation"))
"""Floating-point operations: what a run costs on any machine."""
SYNTHESIS_FLOPS = Quantity("synthesis_flops", lambda metrics: _flops(metrics, "synthesis"))
DISTILLATION_FLOPS = Quantity("distillation_flops", lambda metrics: _flops(metrics, "distillation"))
PEAK_MEMORY = Quantity("peak_memory_bytes", lambda metrics: metrics.peak_memory_bytes)
ENERGY = Quantity("energy_joules", lambda metrics: metrics.energy_joules)

ACCURACY = (FINAL, BEST, BEST_EPOCH, AGREEMENT)
PHASES = (STARTUP, SYNTHESIS, DISTILLATION)
"""What the headline consists of."""
TIMES = (COST, *PHASES, WALL, CPU)
BESIDES = (EVALUATION, WAITING, LOST)
"""Seconds outside the headline."""
COUNTS = (IMAGES, SYNTHESISED, ROUNDS, INNER_STEPS, STEPS, VIEWS, FORWARDS)
FLOPS = (OPERATIONS, SYNTHESIS_FLOPS, DISTILLATION_FLOPS)
RESOURCES = (*FLOPS, PEAK_MEMORY, ENERGY)
MEASURED = (*ACCURACY, *TIMES, *BESIDES, *COUNTS, *RESOURCES)
"""Everything that the most complete csv holds, in its order."""


def _flops(metrics: Metrics, *phases: str) -> int | None:
    return sum(getattr(metrics.flops, phase) for phase in phases) if metrics.flops else None
