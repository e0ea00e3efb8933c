"""How a table of quantities is filled: a line per label, and the same quantities in every column."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.reporting import placing, text
from harness.reporting.quantities import FINAL, Quantity
from harness.reporting.rows import Row, metric, teacher_metrics
from harness.reporting.tables import remarks
from harness.reporting.tables.blocks import Columns
from harness.reporting.tables.table import NOTHING, Block, Column, Entry, Footnotes, Line
from harness.reporting.units import Unit


@dataclass(frozen=True)
class Shown:
    """A quantity, as a table shows it."""

    quantity: Quantity
    heading: str
    """A metric goes by its own name instead, and where it is empty a unit by itself."""
    kind: Literal["metric", "cost", "wall", "work", "epoch", "count"]
    """Cost, wall and work are printed in a unit, the two of time with their deviation."""
    of_method: bool = False
    """Says nothing about students that learn from real images."""


@dataclass
class Builder:
    """Builds the blocks of one table, which share its footnotes."""

    shown: tuple[Shown, ...]
    labels: list[str]
    """In the order of the lines."""
    odd: remarks.Odd
    units: Mapping[str, Unit]
    """Kind of quantity -> what it is printed in."""
    teacher: bool
    """Whether the first line is the teacher."""
    footnotes: Footnotes = field(default_factory=Footnotes)

    def block(self, block_title: str, columns: Columns) -> Block:
        """The block of these columns; labels that none of them has are left out."""
        head = tuple(self._head(title, rows) for title, rows in columns.items())
        lines = [self._teachers(columns)] if self.teacher else []
        by_label = [{row.label: row for row in rows} for rows in columns.values()]
        best = {name for rows in columns.values() for name in placing.leaders(rows)}
        for label in self.labels:
            found = [rows.get(label) for rows in by_label]
            if any(found):
                lines.append(self._line(found, best))
        return Block(block_title, head, tuple(lines))

    def _head(self, title: str, rows: Sequence[Row]) -> Column:
        heading = Entry(title, self.footnotes.mark(remarks.of_data(rows)))
        return Column(heading, tuple(self._heading(shown, rows) for shown in self.shown))

    def _heading(self, shown: Shown, rows: Sequence[Row]) -> Entry:
        if shown.kind == "metric":
            return Entry(metric(rows))
        if unit := self.units.get(shown.kind):
            heading = f"{shown.heading} ({unit.name})" if shown.heading else unit.name
            return Entry(heading, self.footnotes.mark(remarks.of_time(rows) if shown.kind != "work" else []))
        return Entry(shown.heading)

    def _teachers(self, columns: Columns) -> Line:
        """Only the metric, which comes first, is known of teachers."""
        entries: list[Entry] = []
        for rows in columns.values():
            entries += [Entry(text.values(teacher_metrics(rows))), *[NOTHING] * (len(self.shown) - 1)]
        return Line(Entry("Teacher"), tuple(entries))

    def _line(self, rows: Sequence[Row | None], best: Collection[str]) -> Line:
        there = [row for row in rows if row]
        title = Entry(there[0].title, self.footnotes.mark(remarks.of_line(there)))
        return Line(title, tuple(entry for row in rows for entry in self._entries(row, there, best)))

    def _entries(self, row: Row | None, line: Sequence[Row], best: Collection[str]) -> list[Entry]:
        if row is None:
            return [NOTHING] * len(self.shown)
        # Lost seeds are said once per row, at its first number; what is odd about the runs holds for all of them.
        of_row, of_runs = remarks.of_row(row, line, self.odd), remarks.of_runs(row, self.odd)
        entries = []
        for place, shown in enumerate(self.shown):
            said = [*(of_runs if place else of_row), *(remarks.of_cost(row) if shown.kind in ("cost", "wall") else [])]
            share = "" if place else text.share(row.summary(shown.quantity))
            leads = shown.quantity is FINAL and row.name in best
            entries.append(Entry(self._print(shown, row) + share, self.footnotes.mark(said), row.name, leads))
        return entries

    def _print(self, shown: Shown, row: Row) -> str:
        summary = row.summary(shown.quantity)
        if summary.mean is None or (shown.of_method and row.sees_data):
            return text.NOTHING
        if shown.kind == "metric":
            return text.percent(summary)
        if unit := self.units.get(shown.kind):
            scaled = summary.scaled(1 / unit.size)
            return text.number(scaled.mean or 0.0) if shown.kind == "work" else text.measured(scaled)
        # Records count epochs from 0.
        return f"{summary.mean + 1:.1f}" if shown.kind == "epoch" else f"{summary.mean:,.0f}"
