"""Which of our rows stand beside which line of the papers' tables.

``published_lines.csv`` names, for each of these lines, the method of ours that it compares with.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.reporting import text
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
    """Of ours."""
    inner_steps: int | None
    """Where they are part of the name."""
    every_scale: bool
    """Whether our method is shown at every data scale, since that is what it is for; others are at 100 %."""


@dataclass(frozen=True)
class Comparison:
    """A line: what the papers call it, and our rows, one per pair at most."""

    name: str | None
    """None for labels that no paper's table has."""
    label: str | None
    """None for lines that we have not run."""
    scale: float
    rows: tuple[Row, ...] = ()

    @property
    def title(self) -> str:
        """Their name and ours."""
        label = text.short(self.label) if self.label else None
        ours = f"{label}, {scale_text(self.scale)} %" if label and self.scale != WHOLE else label
        return " · ".join(part for part in (self.name, ours) if part)

    def row(self, pair: Pair) -> Row | None:
        """Ours for one pair."""
        return next((row for row in self.rows if row.pair == pair), None)


def comparisons(dataset: str, rows: Sequence[Row]) -> list[Comparison]:
    """The papers' lines in their order, then the labels that they do not have; ``rows`` are all of one dataset."""
    own = {label: [row for row in rows if row.label == label] for label in labels(rows)}
    names = {label: _counterpart(dataset, found) for label, found in own.items()}
    lines: list[Comparison] = []
    for name in (*_names(dataset), None):
        mine = [line for label in own if names[label] == name for line in _at_scales(name, label, own[label])]
        lines += mine or ([Comparison(name, None, WHOLE)] if name else [])
    return lines


@functools.cache
def _known() -> list[Known]:
    """All lines that we can compare with, in the order of the papers' tables."""
    with FILE.open(newline="", encoding="utf-8") as file:
        return [
            Known(
                line["line"],
                line["method"],
                int(line["inner_steps"]) if line["inner_steps"] else None,
                line["every_scale"] == "yes",
            )
            for line in csv.DictReader(file)
        ]


def _names(dataset: str) -> list[str]:
    """The lines that a dataset's tables have, in their order."""
    there = published.lines(dataset)
    return [line.name for line in _known() if line.name in there]


def _counterpart(dataset: str, rows: Sequence[Row]) -> str | None:
    """The line that a label's rows compare with; None if no table has one."""
    # Papers tell variants of one method apart by their inner steps. A label has such a name only if all of its runs
    # agree, so that no mean is taken over what two lines print.
    steps = {run.config.get("inner_steps") for row in rows for run in row.done}
    fitting = {
        line.name
        for line in _known()
        if line.method == rows[0].method and (line.inner_steps is None or steps == {line.inner_steps})
    }
    return next((name for name in _names(dataset) if name in fitting), None)


def _at_scales(name: str | None, label: str, rows: Sequence[Row]) -> list[Comparison]:
    every = any(line.every_scale for line in _known() if line.method == rows[0].method)
    scales = sorted({row.scale for row in rows if every or row.scale == WHOLE}, reverse=True)
    return [Comparison(name, label, scale, tuple(row for row in rows if row.scale == scale)) for scale in scales]
