"""The few statistics that three seeds allow: mean, sample standard deviation and n. And the Pareto front."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Summary:
    """One quantity over the seeds of a row. ``mean`` is None without values, ``sd`` with fewer than two."""

    mean: float | None
    sd: float | None
    n: int
    expected: int
    """How many seeds the study has."""

    def scaled(self, factor: float) -> Summary:
        """The same in another unit."""
        mean, sd = (None if value is None else value * factor for value in (self.mean, self.sd))
        return replace(self, mean=mean, sd=sd)

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
    return Summary(mean, sd, n, expected)


def pareto(costs: Sequence[float], values: Sequence[float]) -> list[int]:
    """Indices of the points that no other point beats, cheapest first: a higher value at no higher cost.

    Of equal points the first one stays.
    """
    front: list[int] = []
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], -values[i], i)):
        if not front or values[index] > values[front[-1]]:
            front.append(index)
    return front
