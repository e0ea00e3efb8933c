"""What papers claim (claims.csv), held against a study's own numbers seed by seed."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.reporting import names, speed, text, units
from harness.reporting.quantities import COST, FINAL, Quantity
from harness.reporting.rows import Row, by_pair, by_seed, matched
from harness.reporting.stats import Paired, paired
from harness.store.layout import scale_text

Verdict = Literal["confirmed", "refuted", "undecided"]
Both = Sequence[tuple[float, float]]
"""A quantity of two rows, seed by seed."""
Claim = dict[str, str]
"""A line of claims.csv. ``measure`` is one of accuracy, classes, difficulty (ours is higher), speed (ours costs less)
and fall (from ``large`` to ``small`` percent of the data accuracy falls by less than ``limit`` points).
"""

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
    """Both means, their difference or ratio with its 95 % interval, n, and p of the paired t-test."""


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
            if claim["measure"] != "fall":
                yield from _between(claim, ours, rows.get((claim["other"], scale)))
            elif scale == float(claim["small"]):
                yield from _fall(claim, rows.get((claim["ours"], float(claim["large"]))), ours)


def _between(claim: Claim, ours: Row | None, other: Row | None) -> Iterator[Finding]:
    measure = claim["measure"]
    if ours and other and matched(ours, other, HIGHER.get(measure, COST)):
        yield _faster(claim, ours, other) if measure == "speed" else _higher(claim, ours, other)


def _higher(claim: Claim, row: Row, other: Row) -> Finding:
    both = matched(row, other, HIGHER[claim["measure"]])
    margin = [own - their for own, their in both]
    return _finding(claim, row, margin, f"{_means(both, '%')}: {_interval(margin, text.signed)} points")


def _faster(claim: Claim, row: Row, other: Row) -> Finding:
    """Of ratios the logarithms are compared, for which twice and half are as far from 1."""
    costs, unit = matched(row, other, COST), units.cost([row, other])
    means = _means([(own / unit.size, their / unit.size) for own, their in costs], unit.name)
    known = all(speed.tells(run) for run in (*row.done, *other.done))
    both = by_seed(row, other, speed.relative_cost) if known else costs
    margin = [math.log(their / own) for own, their in both]
    times = _interval(margin, lambda value: f"{math.exp(value):.2f}")
    return _finding(claim, row, margin, f"{means}: {times} times as fast{' on an equally fast machine' * known}")


def _fall(claim: Claim, large: Row | None, small: Row | None) -> Iterator[Finding]:
    if large and small and (both := matched(large, small, FINAL)):
        fall = [many - few for many, few in both]
        margin = [float(claim["limit"]) - points for points in fall]
        yield _finding(claim, large, margin, f"{_means(both, '%')}: {_interval(fall, text.signed)} points")


def _finding(claim: Claim, row: Row, margin: Sequence[float], told: str) -> Finding:
    """The claim holds where ``margin``, one per seed, is above 0: by its interval, never by its mean."""
    where = f"{names.dataset(row.dataset)}, {names.pair(row.pair)}, {scale_text(row.scale)} %"
    test = paired(margin)
    chance = text.chance(test.p) if test else "a single seed has no spread"
    evidence = f"{told}, n = {len(margin)}, {chance}"
    return Finding(where, claim["claim"], claim["source"], _verdict(test), evidence)


def _verdict(test: Paired | None) -> Verdict:
    if test is None or test.low <= 0 <= test.high:
        return "undecided"
    return "confirmed" if test.low > 0 else "refuted"


def _means(both: Both, unit: str) -> str:
    ours, theirs = (math.fsum(values) / len(both) for values in zip(*both, strict=True))
    return f"{ours:.2f} against {theirs:.2f} {unit}"


def _interval(values: Sequence[float], printed: Callable[[float], str]) -> str:
    """Their mean, and its 95 % interval where there is one."""
    test = paired(values)
    return f"{printed(test.mean)} [{printed(test.low)}, {printed(test.high)}]" if test else printed(values[0])
