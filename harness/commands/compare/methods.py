"""`dkd compare ssd-kd fast-2`: two labels on the same pairs at the same scales. Reads records alone."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from harness.commands.output import Line, columns
from harness.reporting import names, runs, speed, text
from harness.reporting.quantities import FINAL, Quantity
from harness.reporting.rows import Row, group
from harness.reporting.rows import metric as metric_of
from harness.reporting.stats import LEVEL, TTest, welch
from harness.reporting.tables import remarks
from harness.reporting.units import clock
from harness.store.layout import scale_text
from harness.wording import count

FEWEST = 6
"""Cells below which the test over cells is not significant, however they differ: its p is at least 2 / 2^n."""
HEAD = ("pair", "scale", "A", "B", "Δ", "95 % interval", "test", "seeds", "cost ratio")


@dataclass(frozen=True)
class Match:
    """Two labels on one pair at one scale, a seed of each done at least."""

    a: Row
    b: Row
    cost: Quantity

    @property
    def delta(self) -> float:
        """Difference of the mean accuracies, B - A, in points."""
        return fmean(self.b.values(FINAL)) - fmean(self.a.values(FINAL))

    @property
    def test(self) -> TTest | None:
        """Whether chance explains it; None where a side has a single seed."""
        return welch(self.b.values(FINAL), self.a.values(FINAL))

    @property
    def ratio(self) -> float | None:
        """Cost of B to cost of A, on equally fast machines; None where they count seconds of different kinds."""
        a, b = (fmean(row.values(self.cost)) for row in (self.a, self.b))
        return b / a if a and clock([self.a, self.b]) != "cost" else None


def table(a: str, b: str, results: Path) -> Iterator[Line]:
    """A line per pair and scale that both labels have, and the test over all of them."""
    everything = group(runs.load(results))
    rows, cost = [row for row in everything if row.label in (a, b)], speed.cost(everything)
    by_name = {row.name: row for row in rows}
    facing = [(row, by_name.get(_facing(row, b))) for row in rows if row.label == a]
    found = [Match(row, other, cost) for row, other in facing if other and row.done and other.done]
    yield f"A = {_titled(a, rows)}, B = {_titled(b, rows)}: Δ = B - A in points, cost ratio = B / A,"
    yield "over all seeds that are done; interval and p by Welch's t-test"
    for place in dict.fromkeys((match.a.study, match.a.dataset) for match in found):
        own = [match for match in found if (match.a.study, match.a.dataset) == place]
        yield f"{place[0]}: {names.dataset(place[1])}, {metric_of([match.a for match in own])}"
        yield columns([HEAD, *map(_line, own)], indent=2)
    yield from _over(found)
    yield from _besides(rows, found, everything)


def signed_rank(deltas: Sequence[float]) -> float:
    """Two-sided p of Wilcoxon's signed-rank test: whether the differences of cells lie around 0.

    Exact up to 50 cells, unless some differ by the same; cells without a difference are left out, as Wilcoxon did.
    Source: F. Wilcoxon, Individual comparisons by ranking methods, Biometrics 1 (1945); for methods over data sets
    J. Demšar, Statistical comparisons of classifiers over multiple data sets, JMLR 7 (2006). It takes cells as
    independent, which scales of one pair are not quite.
    """
    unequal = [delta for delta in deltas if delta]
    if not unequal:
        return 1.0
    from scipy.stats import wilcoxon

    return float(wilcoxon(unequal).pvalue)


def _titled(label: str, rows: Sequence[Row]) -> str:
    """A label as it was asked for, and as printed where that is something else."""
    printed = next(row.title for row in rows if row.label == label)
    return label if printed == label else f"{label} ({printed})"


def _facing(row: Row, label: str) -> str:
    """Name of the row of another label on the same pair at the same scale."""
    return replace(row.runs[0].name, label=label).row


def _line(match: Match) -> Sequence[str]:
    test, ratio = match.test, match.ratio
    return (
        names.pair(match.a.pair),
        f"{scale_text(match.a.scale)} %",
        *(text.percent(row.summary(FINAL)) for row in (match.a, match.b)),
        text.signed(match.delta),
        f"{text.signed(test.low)} to {text.signed(test.high)}" if test else text.NOTHING,
        text.chance(test.p) if test else text.NOTHING,
        text.sides((len(match.a.done), len(match.b.done))),
        f"× {ratio:.2f}" if ratio else text.NOTHING,
    )


def _over(found: Sequence[Match]) -> Iterator[str]:
    """What all cells say together."""
    if not found:
        yield "no pair and scale of which both have a seed done"
        return
    deltas = [match.delta for match in found]
    higher, lower = sum(delta > 0 for delta in deltas), sum(delta < 0 for delta in deltas)
    ratios = [match.ratio for match in found if match.ratio]
    cost = f", cost × {math.exp(fmean(map(math.log, ratios))):.2f} (geometric mean)" if ratios else ""
    means = f"over {count(len(found), 'cell')} of pair and scale: Δ {text.signed(fmean(deltas))}{cost}"
    yield f"{means}; B higher in {higher}, lower in {lower}"
    yield _test(deltas)


def _test(deltas: Sequence[float]) -> str:
    if len(deltas) < FEWEST:
        return f"with fewer than {FEWEST} cells no test over cells can be significant"
    p = signed_rank(deltas)
    return f"Wilcoxon's signed-rank test over cells: {text.chance(p)}, {'' if p < LEVEL else 'not '}significant"


def _besides(rows: Sequence[Row], found: Sequence[Match], among: Sequence[Row]) -> Iterator[str]:
    """What does not count, and what makes costs doubtful."""
    compared = {row.name: row for match in found for row in (match.a, match.b)}
    yield from (f"only of one: {row.name}" for row in rows if row.name not in compared)
    yield from (f"left out: {row.name}: {problem}" for row in rows for problem in row.problems())
    told = {row.name: remarks.differing(row) for row in rows if row.name in compared}
    yield from (f"{name}: seeds ran with different {options}" for name, options in told.items() if options)
    if overloaded := sum(len(row.overloaded) for row in speed.overloaded(compared.values(), among)):
        yield f"{overloaded} of these runs on an overloaded machine: their costs say little"
    times = speed.factors(among)
    if any(run.metrics.cell in times for row in compared.values() for run in row.done):
        yield "machines of different speed: costs are as on an equally fast one, by the evaluations of the runs"
