"""When synthesis and distillation happen, and how the learning rate moves."""

from __future__ import annotations

import math
from dataclasses import dataclass


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

    def __post_init__(self) -> None:
        if self.steps < 1 or self.epochs < 1 or not 0 <= self.warmup < self.synthesis_rounds + 1:
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

    def synthesizes(self, index: int) -> bool:
        """Whether round ``index`` makes images."""
        if index < self.warmup:
            return True
        due = self.synthesis_rounds - self.warmup
        position = index - self.warmup
        return position * due // self.distillation_rounds != (position - 1) * due // self.distillation_rounds

    def steps_in(self, index: int) -> int:
        """Distillation steps of round ``index``; the rounds' numbers add up to ``steps`` and differ by at most one."""
        if index < self.warmup:
            return 0
        position = index - self.warmup
        return (
            position + 1
        ) * self.steps // self.distillation_rounds - position * self.steps // self.distillation_rounds

    def epoch(self, index: int) -> int:
        """The epoch of round ``index``; the warm-up belongs to epoch 0."""
        return max(0, index - self.warmup) * self.epochs // self.distillation_rounds

    def closes_epoch(self, index: int) -> bool:
        """Whether round ``index`` is the last of its epoch."""
        return index + 1 == self.rounds or self.epoch(index + 1) != self.epoch(index)


def cosine(initial: float, epochs: int, final: float = 0.0) -> list[float]:
    """One learning rate per epoch: final + (initial - final) / 2 · (1 + cos(π e / epochs)), e = 0 … epochs - 1.

    Fast-Datafree, datafree_kd.py (final 2e-4), and CMI, datafree_kd.py (final 0).
    """
    return [final + (initial - final) / 2 * (1 + math.cos(math.pi * e / epochs)) for e in range(epochs)]
