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
    """Rounds that synthesise, warm-up included. What a method does "in round r" of these goes by their number, never by
    that of the round: at a small scale most rounds only distill."""
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
        return self.calls_before(index + 1) > self.calls_before(index)

    def calls_before(self, index: int) -> int:
        """How many rounds before ``index`` made images: the number, from 0, of the synthesis that is next."""
        position, rounds = max(0, index - self.warmup), self.distillation_rounds
        due = self.synthesis_rounds - self.warmup
        # from the round before the first, where the line is at -1: it rises at 0, before the student's first step
        return min(index, self.warmup) + (position - 1) * due // rounds - -due // rounds

    def steps_in(self, index: int) -> int:
        """Distillation steps of round ``index``; the rounds' numbers add up to ``steps`` and differ by at most one.

        A subclass that spreads them otherwise overrides this and `longest_round`. A round may have none.
        """
        if index < self.warmup:
            return 0
        position, rounds = index - self.warmup, self.distillation_rounds
        # differences of one rounded line add up to its end, which rounded shares would not
        return (position + 1) * self.steps // rounds - position * self.steps // rounds

    @property
    def longest_round(self) -> int:
        """Distillation steps of a round at most."""
        return -(-self.steps // self.distillation_rounds)

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
