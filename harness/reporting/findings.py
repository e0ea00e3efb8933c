"""What papers claim (claims.csv), held against a study's own numbers."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Literal

from harness.reporting import names, speed, text, units
from harness.reporting.quantities import FINAL, Quantity
from harness.reporting.rows import Row, by_pair, by_seed, matched
from harness.reporting.runs import RecordedRun
from harness.reporting.stats import TTest, welch
from harness.store.layout import scale_text
from harness.store.records import Metrics

Verdict = Literal["confirmed", "refuted", "undecided"]
Claim = dict[str, str]
"""A line of claims.csv: what label ``ours`` is said to have over ``other``. ``measure`` is one of accuracy, classes,
difficulty (ours is higher), speed (ours costs less) and fall (ours is less than ``limit`` points lower). It is asked at
``scale`` percent of the data, or at every scale where none is given, of the other at ``other_scale``, or at the same.
"""
FEWEST = 3
"""Seeds of each side below which no claim is decided, as many as the protocol asks for."""

CLAIMS = Path(__file__).with_name("claims.csv")


def evenness(counts: Sequence[int] | None) -> float | None:
    """Entropy of a histogram as a share of the largest possible, in percent: 100 if all bins are alike."""
    total = sum(counts or ())
    if not counts or not total or len(counts) < 2:
        return None
    shares = [count / total for count in counts if count]
    return 100 * math.fsum(-share * math.log(share) for share in shares) / math.log(len(counts))


HIGHER = {
    "accuracy": FINAL,
    "classes": Quantity("class_evenness", lambda metrics: evenness(metrics.class_counts)),
    "difficulty": Quantity("difficulty_evenness", lambda metrics: evenness(metrics.difficulty)),
}
"""Measures that are the better the higher, in percent."""


@dataclass(frozen=True)
class Finding:
    """One claim about one pair."""

    where: str
    """Dataset, pair and scale."""
    claim: str
    source: str
    verdict: Verdict
    evidence: str
    """Both means, their difference or ratio with its 95 % interval and seed by seed, n, and p of Welch's test."""


def findings(rows: Sequence[Row]) -> list[Finding]:
    """What of the claims the rows of a study can be asked about; nothing about rows that are not there or not done."""
    with CLAIMS.open(encoding="utf-8", newline="") as file:
        claims = list(csv.DictReader(file))
    return [found for own in by_pair(rows) for found in _of_pair({(row.label, row.scale): row for row in own}, claims)]


def to_markdown(found: Sequence[Finding]) -> str:
    """A table in Markdown, a line per claim."""
    lines = [f"| {one.where} | {one.claim} | **{one.verdict}** | {one.evidence} | {one.source} |" for one in found]
    head = ["| where | claim | verdict | evidence | source of the claim |", "| --- | --- | --- | --- | --- |"]
    return "\n".join([*head, *lines]) + "\n"


def _of_pair(rows: dict[tuple[str, float], Row], claims: Sequence[Claim]) -> Iterator[Finding]:
    for scale in sorted({scale for _, scale in rows}, reverse=True):
        for claim in claims:
            ours = rows.get((claim["ours"], scale))
            other = rows.get((claim["other"], float(claim["other_scale"] or scale)))
            if ours and other and float(claim["scale"] or scale) == scale:
                yield from _asked(claim, ours, other)


def _asked(claim: Claim, ours: Row, other: Row) -> Iterator[Finding]:
    """What the two rows say of a claim, if both tell what it is about."""
    if claim["measure"] != "speed":
        quantity = HIGHER.get(claim["measure"], FINAL)
        if ours.values(quantity) and other.values(quantity):
            yield _higher(claim, ours, other, quantity)
    elif ours.done and other.done and all(run.metrics.cost.end_to_end for run in (*ours.done, *other.done)):
        yield _faster(claim, ours, other)


def _higher(claim: Claim, ours: Row, other: Row, quantity: Quantity) -> Finding:
    """Of a fall the claim is that ours, with the limit added, is the higher one."""
    own, theirs = ours.values(quantity), other.values(quantity)
    limit = float(claim["limit"] or 0)
    test = welch([value + limit for value in own], theirs)
    seeds = [mine - their for mine, their in matched(ours, other, quantity)]
    told = f"{_means(own, theirs, '%')}: {_interval(own, theirs, text.signed)} points"
    return _finding(claim, ours, [told, *_seeds(seeds, text.signed), *_n(own, theirs, test)], _verdict(test))


def _faster(claim: Claim, ours: Row, other: Row) -> Finding:
    """Of ratios the logarithms are compared, for which twice and half are as far from 1."""
    known = all(speed.tells(run) for run in (*ours.done, *other.done))
    unit = units.cost([ours, other])

    def cost(run: RecordedRun) -> float:
        return speed.relative_cost(run) if known else run.metrics.cost.end_to_end / unit.size

    own, theirs = (list(map(cost, row.done)) for row in (ours, other))
    logarithms = list(map(math.log, theirs)), list(map(math.log, own))
    test = welch(*logarithms)
    seeds = [their / mine for mine, their in by_seed(ours, other, cost)]
    means = _means(own, theirs, "evaluations' time" if known else unit.name)
    times = _interval(*logarithms, lambda value: f"{math.exp(value):.2f}")
    told = f"{means}: {times} times as fast{' on an equally fast machine' * known}"
    evidence = [told, *_seeds(seeds, "{:.2f}".format), *_n(own, theirs, test)]
    if not known and (doubt := _doubt([run.metrics for run in (*ours.done, *other.done)])):
        return _finding(claim, ours, [*evidence, doubt], "undecided")
    return _finding(claim, ours, evidence, _verdict(test))


def _doubt(runs: Sequence[Metrics]) -> str:
    """Why the seconds of some runs say little of a method; empty where nothing does."""
    if any(run.overloaded for run in runs):
        return "on an overloaded machine"
    return "on a card that cells share" * any(run.device != "cpu" and run.share > 1 for run in runs)


def _finding(claim: Claim, row: Row, evidence: Sequence[str], verdict: Verdict) -> Finding:
    where = f"{names.dataset(row.dataset)}, {names.pair(row.pair)}, {scale_text(row.scale)} %"
    return Finding(where, claim["claim"], claim["source"], verdict, ", ".join(evidence))


def _verdict(test: TTest | None) -> Verdict:
    """By the interval, never by the mean; two seeds of a side may lie close together by luck."""
    if test is None or min(test.n) < FEWEST or test.low <= 0 <= test.high:
        return "undecided"
    return "confirmed" if test.low > 0 else "refuted"


def _means(ours: Sequence[float], theirs: Sequence[float], unit: str) -> str:
    return f"{fmean(ours):.2f} against {fmean(theirs):.2f} {unit}"


def _interval(ours: Sequence[float], theirs: Sequence[float], printed: Callable[[float], str]) -> str:
    """The difference of the means, and its 95 % interval where there is one."""
    test = welch(ours, theirs)
    if test is None:
        return printed(fmean(ours) - fmean(theirs))
    return f"{printed(test.mean)} [{printed(test.low)}, {printed(test.high)}]"


def _seeds(values: Sequence[float], printed: Callable[[float], str]) -> list[str]:
    """What the pairs of equal seeds say, one by one; nothing where there is one at most."""
    return [f"seed by seed {'; '.join(map(printed, values))}"] if len(values) > 1 else []


def _n(ours: Sequence[float], theirs: Sequence[float], test: TTest | None) -> list[str]:
    """How many seeds each side has, and what chance explains."""
    chance = text.chance(test.p) if test else "a single seed has no spread"
    return [f"n = {text.sides((len(ours), len(theirs)))}", chance]
