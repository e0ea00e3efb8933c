"""Which of our rows stand beside which line of the papers' tables.

``published_lines.csv`` names, for each of these lines, the method of ours that it compares with.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.reporting.rows import Row, labels
from harness.reporting.tables import published
from harness.store.layout import scale_text
from methods.base.pair import Pair

FILE = Path(__file__).with_name("published_lines.csv")
WHOLE = 100.0
"""The data scale of the papers' numbers, percent."""


@dataclass(frozen=True)
class Known:
    """A line of the papers' tables."""

    name: str
    method: str
    """Of ours; empty where the bench has none."""
    option: str
    """Of the method, where its value is part of the name; else empty."""
    value: str
    prior: str
    """Beyond the teacher, of the published numbers; empty for none."""
    every_scale: str
    """``yes`` where our method is shown at every data scale, since that is what it is for; others are at 100 %."""

    def fits(self, rows: Sequence[Row]) -> bool:
        """Whether the rows of a label compare with it, that is all of their runs.

        If they differ, no mean may be taken over what two lines print.
        """
        values = {str(run.config.get(self.option)) for row in rows for run in row.done}
        return self.method == rows[0].method and (not self.option or values == {self.value})


@dataclass(frozen=True)
class Comparison:
    """A line: what the papers call it, and our rows, one per pair at most."""

    name: str | None
    """None for labels that no paper's table has."""
    scale: float
    rows: tuple[Row, ...] = ()
    """Empty for lines that we have not run."""
    prior: str = ""
    """Of the published numbers, beyond the teacher."""

    @property
    def title(self) -> str:
        """Their name and ours, where that is another."""
        ours = [row.title for row in self.rows[:1]]
        at = f", {scale_text(self.scale)} %" if self.scale != WHOLE else ""
        return " · ".join(dict.fromkeys(filter(None, [self.name, *ours]))) + at

    def row(self, pair: Pair) -> Row | None:
        """Ours for one pair."""
        return next((row for row in self.rows if row.pair == pair), None)


def comparisons(dataset: str, rows: Sequence[Row]) -> list[Comparison]:
    """The papers' lines in their order, then the labels that they do not have; ``rows`` are all of one dataset."""
    own = {label: [row for row in rows if row.label == label] for label in labels(rows)}
    there = published.lines(dataset, (row.pair.networks for row in rows))
    printed = [line for line in _known() if line.name in there]
    fitting = {label: next((line for line in printed if line.fits(found)), None) for label, found in own.items()}
    lines: list[Comparison] = []
    for known in (*printed, None):
        mine = [line for label in own if fitting[label] == known for line in _at_scales(known, own[label])]
        lines += mine or ([Comparison(known.name, WHOLE, prior=known.prior)] if known else [])
    return lines


@functools.cache
def _known() -> list[Known]:
    """All lines that we can compare with, in the order of the papers' tables."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return [Known(line.pop("line"), **line) for line in csv.DictReader(file)]


def _at_scales(known: Known | None, rows: Sequence[Row]) -> list[Comparison]:
    every = any(line.every_scale for line in _known() if line.method == rows[0].method)
    scales = sorted({row.scale for row in rows if every or row.scale == WHOLE}, reverse=True)
    name, prior = (known.name, known.prior) if known else (None, "")
    at = {scale: tuple(row for row in rows if row.scale == scale) for scale in scales}
    return [Comparison(name, scale, found, prior) for scale, found in at.items()]
