"""What seeds explain: whether two means differ by more (Welch's test), and where a further seed is expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev, variance

CONFIDENCE = 0.99
"""Of a hundred rows that differ by chance alone, one is said to differ by more. Our choice."""
EXPECTED = 0.95
"""Of twenty further seeds, one lies beyond by chance alone. Our choice: at 99 %, three seeds would exclude nothing."""


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


@dataclass(frozen=True)
class Interval:
    """Where a value is expected."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:.2f} to {self.high:.2f}"


def judge(before: Sequence[float], after: Sequence[float]) -> Verdict | None:
    """Compare the seeds of one row, measured twice; None where one seed says nothing of what seeds differ by.

    Source: B. L. Welch, The generalization of Student's problem, Biometrika 34 (1947). Seeds are taken as independent
    although both sides have the same ones: on another machine equal seeds part after some steps.
    """
    if min(len(before), len(after)) < 2:
        return None
    errors = [variance(values) / len(values) for values in (before, after)]
    difference = mean(after) - mean(before)
    if not any(errors):
        return Verdict(difference, 0.0)
    freedom = sum(errors) ** 2 / sum(e**2 / (len(v) - 1) for e, v in zip(errors, (before, after), strict=True))
    return Verdict(difference, _reach(freedom, CONFIDENCE) * math.sqrt(sum(errors)))


def further(values: Sequence[float]) -> Interval | None:
    """Where a further seed lies with `EXPECTED` confidence: mean ± t √(1 + 1/n) sd, with n - 1 degrees of freedom.

    None for one seed, which says nothing of what seeds differ by. Source: G. J. Hahn and W. Q. Meeker, Statistical
    Intervals (1991), the prediction interval of one future observation of a normal distribution.
    """
    if len(values) < 2:
        return None
    reach = _reach(len(values) - 1, EXPECTED) * math.sqrt(1 + 1 / len(values)) * stdev(values)
    return Interval(mean(values) - reach, mean(values) + reach)


def _reach(freedom: float, confidence: float) -> float:
    """How many standard errors from the mean an interval ends, on each side."""
    # This alone: all of scipy.stats takes a second to import.
    from scipy.special import stdtrit

    return float(stdtrit(freedom, (1 + confidence) / 2))
