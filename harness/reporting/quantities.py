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

END_TO_END = Quantity("end_to_end_seconds", lambda metrics: metrics.seconds.end_to_end)
STARTUP = Quantity("startup_seconds", lambda metrics: metrics.seconds.startup)
SYNTHESIS = Quantity("synthesis_seconds", lambda metrics: metrics.seconds.synthesis)
DISTILLATION = Quantity("distillation_seconds", lambda metrics: metrics.seconds.distillation)
EVALUATION = Quantity("evaluation_seconds", lambda metrics: metrics.seconds.evaluation)
WAITING = Quantity("waiting_seconds", lambda metrics: metrics.seconds.waiting)
LOST = Quantity("lost_seconds", lambda metrics: metrics.seconds.lost)

IMAGES = Quantity("images", lambda metrics: metrics.images)
SYNTHESISED = Quantity("images_synthesised", lambda metrics: metrics.images_synthesised)
ROUNDS = Quantity("synthesis_rounds", lambda metrics: metrics.synthesis_rounds)
STEPS = Quantity("steps", lambda metrics: metrics.steps)
FORWARDS = Quantity("teacher_forwards", lambda metrics: metrics.teacher_forwards)

SYNTHESIS_FLOPS = Quantity("synthesis_flops", lambda metrics: metrics.flops.synthesis if metrics.flops else None)
DISTILLATION_FLOPS = Quantity(
    "distillation_flops", lambda metrics: metrics.flops.distillation if metrics.flops else None
)
PEAK_MEMORY = Quantity("peak_memory_bytes", lambda metrics: metrics.peak_memory_bytes)
ENERGY = Quantity("energy_joules", lambda metrics: metrics.energy_joules)

ACCURACY = (FINAL, BEST, BEST_EPOCH, AGREEMENT)
TIMES = (END_TO_END, STARTUP, SYNTHESIS, DISTILLATION)
"""The headline and its parts."""
BESIDES = (EVALUATION, WAITING, LOST)
"""Seconds outside the headline."""
COUNTS = (IMAGES, SYNTHESISED, ROUNDS, STEPS, FORWARDS)
RESOURCES = (SYNTHESIS_FLOPS, DISTILLATION_FLOPS, PEAK_MEMORY, ENERGY)
MEASURED = (*ACCURACY, *TIMES, *BESIDES, *COUNTS, *RESOURCES)
"""Everything that the most complete csv holds, in its order."""
