"""How methods do over many pairs: performance profiles of cost and accuracy, and the mean rank with its interval."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting import front, speed
from harness.reporting.quantities import FINAL, Quantity
from harness.reporting.rows import Row, labels
from harness.reporting.settings import settings
from harness.reporting.stats import student

FEWEST = 3
"""Pairs below which a share of pairs says nothing. Our choice."""


@dataclass(frozen=True)
class Profile:
    """One method over the pairs."""

    label: str
    title: str
    """The label as printed."""
    ratios: tuple[float, ...]
    """Its cost on each pair by that of the cheapest method, sorted; infinite where it taught no more than noise does,
    or has no result."""
    gaps: tuple[float, ...]
    """By how many points the most accurate method is above it on each pair, sorted; infinite without a result."""
    rank: float
    """Its mean rank over the pairs."""
    low: float
    """Lower end of the 95 % interval of that."""
    high: float
    """Its upper end."""

    def within_ratio(self, ratio: float) -> float:
        """The share of pairs on which it costs at most ``ratio`` times what the cheapest method costs."""
        return bisect_right(self.ratios, ratio) / len(self.ratios)

    def within_points(self, points: float) -> float:
        """The share of pairs on which it is at most so many points below the most accurate method."""
        return bisect_right(self.gaps, points) / len(self.gaps)


@dataclass(frozen=True)
class Profiles:
    """The methods that a study has on all of its pairs at one data scale."""

    scale: float
    pairs: int
    unfinished: int
    """Pairs that are left out because a method waits there for its first result."""
    methods: tuple[Profile, ...]
    """By mean rank, the lowest first."""


def profiles(rows: Sequence[Row]) -> list[Profiles]:
    """What there is to say of one study, for each data scale with three pairs or more, the largest scale first.

    A performance profile is the share of problems on which a solver needs at most r times what the best one needs (E.
    D. Dolan and J. J. Moré, Benchmarking optimization software with performance profiles, Mathematical Programming 91,
    2002); problems are pairs on datasets, and costs are means over seeds. A method that does not exceed the floor of
    `front.floor` solved nothing: its cost counts as infinite. For accuracy, points below the best take the place of r.

    The mean rank is over pairs, of mean accuracies, equal ones sharing the mean of their ranks and methods without a
    result the last ones (J. Demšar, Statistical comparisons of classifiers over multiple data sets, JMLR 7, 2006). Its
    interval is Student's over pairs, mean ± t(0.975, n - 1) sd / √n, cut at 1 and the number of methods.
    """
    cost = speed.cost(rows)
    scales: dict[float, list[tuple[Row, ...]]] = {}
    for setting in settings(rows):
        scales.setdefault(setting.rows[0].scale, []).append(setting.rows)
    found = (_profiles(scale, scales[scale], cost) for scale in sorted(scales, reverse=True))
    return [each for each in found if each]


def _profiles(scale: float, pairs: Sequence[Sequence[Row]], cost: Quantity) -> Profiles | None:
    over = [own for own in pairs if all(_ended(row) for row in own if not row.reference)]
    methods = [{row.label: row for row in own if not row.reference} for own in over]
    common = [label for label in labels(row for own in methods for row in own.values()) if _everywhere(label, methods)]
    if len(over) < FEWEST or len(common) < 2:
        return None
    costs = [
        _ratios([own[label] for label in common], front.floor(every), cost)
        for own, every in zip(methods, over, strict=True)
    ]
    finals = [[_final(own[label]) for label in common] for own in methods]
    # From pair by pair to method by method.
    each = (zip(*per_pair, strict=True) for per_pair in (costs, map(_gaps, finals), map(_ranks, finals)))
    made = [_profile(methods[0][label], len(common), *measured) for label, *measured in zip(common, *each, strict=True)]
    made.sort(key=lambda profile: profile.rank)
    return Profiles(scale, len(over), len(pairs) - len(over), tuple(made))


def _profile(row: Row, methods: int, ratios: Sequence[float], gaps: Sequence[float], ranks: Sequence[float]) -> Profile:
    mean = student(ranks)
    assert mean is not None
    low, high = max(1.0, mean.low), min(float(methods), mean.high)
    return Profile(row.label, row.title, tuple(sorted(ratios)), tuple(sorted(gaps)), mean.mean, low, high)


def _ended(row: Row) -> bool:
    """Whether a seed has come to an end, good or bad."""
    return any(run.status != "waiting" for run in row.runs)


def _everywhere(label: str, pairs: Sequence[dict[str, Row]]) -> bool:
    return all(label in own for own in pairs)


def _ratios(rows: Sequence[Row], floor: float, cost: Quantity) -> list[float]:
    """Costs by the lowest one, of one pair; infinite for what does not exceed the floor in every seed."""
    able = [front.exceeds(row, floor) for row in rows]
    costs = [row.summary(cost).mean or 0.0 if learns else math.inf for row, learns in zip(rows, able, strict=True)]
    least = min(costs)
    return [cost / least if math.isfinite(cost) and least else math.inf for cost in costs]


def _final(row: Row) -> float:
    mean = row.summary(FINAL).mean
    return -math.inf if mean is None else mean


def _gaps(finals: Sequence[float]) -> list[float]:
    """Points below the highest; infinite without a result."""
    return [max(finals) - final if math.isfinite(final) else math.inf for final in finals]


def _ranks(finals: Sequence[float]) -> list[float]:
    """1 for the highest; equal ones share the mean of their ranks."""
    ordered = sorted(-final for final in finals)
    return [(bisect_left(ordered, -final) + bisect_right(ordered, -final) + 1) / 2 for final in finals]
