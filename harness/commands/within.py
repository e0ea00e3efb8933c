"""Whether two means differ by more than their seeds explain: Welch's test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, variance

CONFIDENCE = 0.99
"""Of a hundred rows that differ by chance alone, one is said to differ by more. Our choice."""


@dataclass(frozen=True)
class Verdict:
    """How two groups of seeds compare."""

    difference: float
    """Of their means."""
    limit: float
    """The largest difference that chance explains."""

    @property
    def within(self) -> bool:
        """Whether chance explains the difference."""
        return abs(self.difference) <= self.limit

    def __str__(self) -> str:
        return f"{'within' if self.within else 'NOT within'} ± {self.limit:.2f}, what the seeds differ by"


def judge(before: Sequence[float], after: Sequence[float]) -> Verdict | None:
    """Compare the seeds of one row, measured twice; None where one seed says nothing of what seeds differ by.

    Source: B. L. Welch, The generalization of Student's problem, Biometrika 34 (1947). Seeds are taken as independent
    although both sides have the same ones: on another machine equal seeds part after some steps.
    """
    if min(len(before), len(after)) < 2:
        return None
    from scipy.stats import t

    errors = [variance(values) / len(values) for values in (before, after)]
    difference = mean(after) - mean(before)
    if not any(errors):
        return Verdict(difference, 0.0)
    freedom = sum(errors) ** 2 / sum(e**2 / (len(v) - 1) for e, v in zip(errors, (before, after), strict=True))
    return Verdict(difference, float(t.ppf((1 + CONFIDENCE) / 2, freedom)) * math.sqrt(sum(errors)))
