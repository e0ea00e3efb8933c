"""The few statistics that three seeds allow: mean, sample standard deviation, n, and t-tests of means."""

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
class TTest:
    """A two-sided t-test: whether a mean, or the difference of two, is another than 0."""

    mean: float
    """What is tested."""
    low: float
    """Lower end of its interval."""
    high: float
    """Upper end."""
    p: float
    """How often chance alone gives a mean at least as far from 0."""
    n: tuple[int, ...]
    """How many values it rests on, on each side."""

    @property
    def differs(self) -> bool:
        """Whether chance does not explain the difference: p is below ``LEVEL``."""
        return self.p < LEVEL


def student(values: Sequence[float]) -> TTest | None:
    """Student's t-test of the mean of ``values``; None of fewer than two.

    t = mean √n / sd with n - 1 degrees of freedom. Source: Student, The probable error of a mean, Biometrika 6 (1908).
    """
    summary = summarise(values, len(values))
    if summary.mean is None or summary.sd is None:
        return None
    return _tested(summary.mean, summary.sd / math.sqrt(summary.n), summary.n - 1, 1 - LEVEL, (summary.n,))


def welch(ours: Sequence[float], theirs: Sequence[float], confidence: float = 1 - LEVEL) -> TTest | None:
    """Welch's t-test of the mean of ``ours`` less that of ``theirs``; None of fewer than two on a side.

    There is a value per seed, and seeds are taken as independent. Variances and numbers need not be equal. Source: B.
    L. Welch, The generalization of Student's problem when several different population variances are involved,
    Biometrika 34 (1947); for seeds of learning algorithms C. Colas et al., How many random seeds?, arXiv:1806.08295.
    """
    sides = [summarise(values, len(values)) for values in (ours, theirs)]
    if min(side.n for side in sides) < 2:
        return None
    means = [side.mean or 0.0 for side in sides]
    errors = [(side.sd or 0.0) ** 2 / side.n for side in sides]
    squares = math.fsum(error**2 / (side.n - 1) for error, side in zip(errors, sides, strict=True))
    freedom = math.fsum(errors) ** 2 / squares if squares else 1.0
    return _tested(means[0] - means[1], math.sqrt(math.fsum(errors)), freedom, confidence, (len(ours), len(theirs)))


def _tested(mean: float, error: float, freedom: float, confidence: float, n: tuple[int, ...]) -> TTest:
    """Of a mean with this standard error; where that is 0 chance explains nothing, and p is 0, or 1 of a mean of 0."""
    # These two alone: all of scipy.stats takes a second to import, and not every command needs a test.
    from scipy.special import stdtr, stdtrit

    reach = float(stdtrit(freedom, (1 + confidence) / 2)) * error
    p = 2 * float(stdtr(freedom, -abs(mean) / error)) if error else float(mean == 0)
    return TTest(mean, mean - reach, mean + reach, p, n)
