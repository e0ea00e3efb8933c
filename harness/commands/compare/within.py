"""What seeds explain: whether two means differ by more (Welch's test), and where a further seed is expected."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from harness.reporting.stats import welch

CONFIDENCE = 0.99
"""Of a hundred rows that differ by chance alone, one is said to differ by more. Our choice."""
EXPECTED = 0.95
"""Of twenty comparisons, one holds a cell that lies beyond by chance alone. Our choice: at 99 %, three seeds would
exclude nothing."""
NARROWEST = 0.5
"""Points that a further seed may be off in any case: our choice, 50 of 10,000 test images. Seeds of a student that
learned nothing are often equal, which does not say that the next one is."""


@dataclass(frozen=True)
class Verdict:
    """How two groups of seeds compare."""

    difference: float
    """Of their means."""
    limit: float
    """The largest difference that chance explains."""
    n: tuple[int, ...]
    """How many seeds each side has."""

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
    """Compare the seeds of one row, measured twice, by Welch's test; None where one seed does not say how seeds differ.

    Seeds are taken as independent although both sides have the same ones: on another machine equal seeds part.
    """
    test = welch(after, before, CONFIDENCE)
    return Verdict(test.mean, test.high - test.mean, (len(before), len(after))) if test else None


def further(values: Sequence[float], among: int = 1) -> Interval | None:
    """Where a further seed is expected: mean ± t √(1 + 1/n) sd, with n - 1 degrees of freedom.

    The confidence is `EXPECTED` for all ``among`` cells that are asked at once together (Bonferroni's correction).

    None for one seed, which says nothing of what seeds differ by. Source: G. J. Hahn and W. Q. Meeker, Statistical
    Intervals (1991), the prediction interval of one future observation of a normal distribution.
    """
    if len(values) < 2:
        return None
    # This alone: all of scipy.stats takes a second to import.
    from scipy.special import stdtrit

    quantile = float(stdtrit(len(values) - 1, 1 - (1 - EXPECTED) / among / 2))
    reach = max(NARROWEST, quantile * math.sqrt(1 + 1 / len(values)) * stdev(values))
    return Interval(mean(values) - reach, mean(values) + reach)
