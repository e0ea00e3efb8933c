"""The few statistics that three seeds allow: mean, sample standard deviation, n, and a test of paired differences."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

LEVEL = 0.05
"""Below this p two methods count as different; an interval holds 1 - LEVEL. By convention."""


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


@dataclass(frozen=True)
class Paired:
    """The two-sided paired t-test: whether differences of the same seeds have a mean other than 0."""

    mean: float
    sd: float
    n: int
    low: float
    """Lower end of the 95 % interval of the mean."""
    high: float
    """Its upper end."""
    p: float
    """How often chance alone gives a mean at least as far from 0."""

    @property
    def differs(self) -> bool:
        """Whether chance does not explain the difference: p is below ``LEVEL``."""
        return self.p < LEVEL


def paired(differences: Sequence[float]) -> Paired | None:
    """Student's t-test of ``differences``, one per seed that both sides have; None where these are fewer than two.

    t = mean √n / sd with n - 1 degrees of freedom, and the interval mean ± t(0.975) sd / √n. Source: Student, The
    probable error of a mean, Biometrika 6 (1908). Equal differences leave chance nothing to explain: p is 0, or 1
    where all are 0.
    """
    summary = summarise(differences, len(differences))
    if summary.mean is None or summary.sd is None:
        return None
    # These two alone: all of scipy.stats takes a second to import, and not every command needs a test.
    from scipy.special import stdtr, stdtrit

    freedom, error = summary.n - 1, summary.sd / math.sqrt(summary.n)
    reach = float(stdtrit(freedom, 1 - LEVEL / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(summary.mean) / error)) if error else float(summary.mean == 0)
    return Paired(summary.mean, summary.sd, summary.n, summary.mean - reach, summary.mean + reach, p)
