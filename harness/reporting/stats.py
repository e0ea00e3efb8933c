"""The few statistics that three seeds allow: mean, sample standard deviation and n."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Summary:
    """One quantity over the seeds of a row. ``sd`` is None with fewer than two values, all but counts without any."""

    mean: float | None
    sd: float | None
    n: int
    expected: int
    """How many seeds the study has."""
    low: float | None = None
    """The smallest value."""
    high: float | None = None
    """The largest value."""

    def scaled(self, factor: float) -> Summary:
        """The same in another unit."""
        values = (self.mean, self.sd, self.low, self.high)
        mean, sd, low, high = (None if value is None else value * factor for value in values)
        return replace(self, mean=mean, sd=sd, low=low, high=high)

    @property
    def complete(self) -> bool:
        """Whether every expected seed contributed."""
        return self.n >= self.expected


def summarise(values: Sequence[float], expected: int) -> Summary:
    """Mean and sample standard deviation (n - 1 in the denominator) of ``values``, one per seed.

    Sums are rounded once, and equal values have no deviation, so that the order of the seeds does not matter.
    """
    n = len(values)
    if n == 0:
        return Summary(None, None, 0, expected)
    mean = values[0] if len(set(values)) == 1 else math.fsum(values) / n
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1)) if n > 1 else None
    return Summary(mean, sd, n, expected, min(values), max(values))
