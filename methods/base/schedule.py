"""When synthesis and distillation happen, and how the learning rate moves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Schedule:
    """Spreads synthesis and distillation evenly over the rounds of a run (Bresenham's line).

    A run has ``warmup`` rounds of synthesis alone, then enough rounds for every later synthesis and every epoch to have
    one of its own. The first synthesis comes before the first distillation step.
    """

    steps: int
    """Distillation steps in all."""
    epochs: int
    """The distillation rounds are divided into this many epochs, at most one per step."""
    synthesis_rounds: int
    """Rounds that synthesise, warm-up included."""
    warmup: int = 0
    """Rounds at the start that synthesise and do not distill."""
    distill_first: bool = False
    """Within a round the student learns before images are made: DFAD's order."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.epochs < 1 or not 0 <= self.warmup <= self.synthesis_rounds:
            raise ValueError(f"not a schedule: {self}")
        object.__setattr__(self, "epochs", min(self.epochs, self.steps))

    @property
    def distillation_rounds(self) -> int:
        """Rounds after the warm-up."""
        return max(self.synthesis_rounds - self.warmup, self.epochs)

    @property
    def rounds(self) -> int:
        """All rounds."""
        return self.warmup + self.distillation_rounds

    def synthesises(self, index: int) -> bool:
        """Whether round ``index`` makes images."""
        if index < self.warmup:
            return True
        position, rounds = index - self.warmup, self.distillation_rounds
        due = self.synthesis_rounds - self.warmup
        # compared with the round before, not after: the line then rises at position 0, before the student's first step
        return position * due // rounds != (position - 1) * due // rounds

    def steps_in(self, index: int) -> int:
        """Distillation steps of round ``index``; the rounds' numbers add up to ``steps`` and differ by at most one."""
        if index < self.warmup:
            return 0
        position, rounds = index - self.warmup, self.distillation_rounds
        # differences of one rounded line add up to its end, which rounded shares would not
        return (position + 1) * self.steps // rounds - position * self.steps // rounds

    def epoch(self, index: int) -> int:
        """The epoch of round ``index``; the warm-up belongs to epoch 0."""
        return max(0, index - self.warmup) * self.epochs // self.distillation_rounds

    def closes_epoch(self, index: int) -> bool:
        """Whether round ``index`` is the last of its epoch."""
        return index + 1 == self.rounds or self.epoch(index + 1) != self.epoch(index)


class Decay:
    """How learning rates fall over a run.

    Args:
        schedule: of the run.
        per: what the rate moves with, once per epoch or once per round after the warm-up.
        milestones: shares of the run after each of which the rate is multiplied by ``factor``; empty for half a cosine.
        factor: see there.
    """

    def __init__(
        self,
        schedule: Schedule,
        per: Literal["epoch", "round"] = "epoch",
        milestones: Sequence[float] = (),
        factor: float = 0.1,
    ) -> None:
        self.schedule, self.per, self.milestones, self.factor = schedule, per, milestones, factor

    def __call__(self, index: int) -> float:
        """Share of the initial rate that is left in round ``index``: 1 at first, 0 is where a cosine would end."""
        schedule = self.schedule
        if self.per == "epoch":
            position, total = schedule.epoch(index), schedule.epochs
        else:
            position, total = max(0, index - schedule.warmup), schedule.distillation_rounds
        return decay(position, total, self.milestones, self.factor)


def decay(position: int, total: int, milestones: Sequence[float] = (), factor: float = 0.1) -> float:
    """Share of a learning rate that is left at ``position`` of ``total``.

    ``factor`` to the power of the milestones that lie behind; without milestones half a cosine, from 1 to 0.
    """
    if milestones:
        # 0.55 × 100 is a little more than 55 in floating point, and the fall would come an epoch late
        return float(factor ** sum(position >= milestone * total - 1e-9 for milestone in milestones))
    return (1 + math.cos(math.pi * position / total)) / 2
