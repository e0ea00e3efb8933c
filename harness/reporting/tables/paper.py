"""The papers' tables 1 to 3, theirs beside ours: one table per dataset of which numbers were published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.reporting import names, text, units
from harness.reporting.quantities import COST, FINAL, WALL, Quantity
from harness.reporting.rows import Row, metric, teacher_metrics
from harness.reporting.tables import blocks, notes, published, remarks
from harness.reporting.tables.comparison import Comparison, comparisons
from harness.reporting.tables.csv import to_csv
from harness.reporting.tables.published import Published
from harness.reporting.tables.table import NOTHING, Block, Column, Entry, Footnotes, Line, Table
from harness.reporting.units import Unit
from methods.base.pair import Pair

PUBLISHED = (
    "Published: as printed, mostly the best epoch on the test set; hours as their sources count them; what others "
    "ran, or reproduced, stands in a footnote beside the authors' own number. "
    "Δ: ours minus published, in points."
)


def tables(rows: Sequence[Row], odd: remarks.Odd) -> list[Table]:
    """A table for each dataset of a study of whose pairs anything is published, however few cells are done."""
    found = {name: [row for row in rows if row.dataset == name] for name in sorted({row.dataset for row in rows})}
    return [
        _table(dataset, own, odd)
        for dataset, own in found.items()
        if published.lines(dataset, (row.pair.networks for row in own))
    ]


def _table(dataset: str, rows: Sequence[Row], odd: remarks.Odd) -> Table:
    lines = comparisons(dataset, rows)
    builder = _Builder(dataset, rows, odd, lines)
    pairs = list(dict.fromkeys(row.pair for row in rows))
    width = blocks.WIDTH // len(builder.heads)
    filled = tuple(builder.block(pairs[start : start + width]) for start in range(0, len(pairs), width))
    ours = f"Ours: after the last epoch; {notes.spread(rows)}. {notes.SCOPE}"
    said = (ours, PUBLISHED, *notes.left_out(rows), *notes.provenance(rows))
    title = f"Published and measured: {names.dataset(dataset)}"
    return Table(f"published-{dataset}", title, filled, builder.footnotes.texts, said, _csv(lines, odd))


@dataclass
class _Builder:
    """Builds the blocks of one dataset's table."""

    dataset: str
    rows: Sequence[Row]
    odd: remarks.Odd
    lines: Sequence[Comparison]
    footnotes: Footnotes = field(default_factory=Footnotes)

    @property
    def times(self) -> list[tuple[Quantity, Unit]]:
        """What our hours are: the cost, and, where that is another's, the wall's."""
        beside = [(WALL, units.wall(self.rows, units.HOUR))] if units.clock(self.rows) != "GPU" else []
        return [(COST, units.cost(self.rows, units.HOUR)), *beside]

    @property
    def heads(self) -> tuple[str, ...]:
        return metric(self.rows), "published", "Δ", *(unit.name for _, unit in self.times), "published (h)"

    def block(self, pairs: Sequence[Pair]) -> Block:
        columns = tuple(Column(Entry(names.pair(pair)), tuple(map(Entry, self.heads))) for pair in pairs)
        there = [line for line in self.lines if any(self._has(line, pair) for pair in pairs)]
        return Block(
            names.dataset(self.dataset), columns, (self._teachers(pairs), *(self._line(line, pairs) for line in there))
        )

    def _has(self, line: Comparison, pair: Pair) -> bool:
        """Whether there is a number of ours or theirs."""
        return bool(line.row(pair) or published.of(self.dataset, line.name, pair.networks))

    def _line(self, line: Comparison, pairs: Sequence[Pair]) -> Line:
        theirs = [f"published with prior: {line.prior}"] if line.prior else []
        ours = remarks.of_line(line.rows) if line.rows else []
        title = Entry(line.title, self.footnotes.mark([*ours, *theirs]))
        return Line(title, tuple(entry for pair in pairs for entry in self._entries(line, pair)))

    def _entries(self, line: Comparison, pair: Pair) -> list[Entry]:
        theirs = published.of(self.dataset, line.name, pair.networks)
        hours = Entry(text.number(theirs.hours)) if theirs and theirs.hours else NOTHING
        if (row := line.row(pair)) is None:
            return [NOTHING, self._published(theirs), NOTHING, *[NOTHING] * len(self.times), hours]
        # Footnotes get their letters in reading order, so entries are made from left to right.
        final = row.summary(FINAL)
        marks = self.footnotes.mark(remarks.of_row(row, line.rows, self.odd))
        return [
            Entry(text.percent(final) + text.share(final), marks, row.name),
            self._published(theirs),
            Entry(_difference(final.mean, theirs)),
            *(self._time(row, quantity, unit) for quantity, unit in self.times),
            hours,
        ]

    def _time(self, row: Row, quantity: Quantity, unit: Unit) -> Entry:
        seconds = row.summary(quantity)
        if seconds.mean is None:
            return NOTHING
        printed = text.measured(seconds.scaled(1 / unit.size))
        said = [*remarks.of_time([row]), *remarks.of_cost(row)]
        return Entry(printed, self.footnotes.mark(said), row.name)

    def _teachers(self, pairs: Sequence[Pair]) -> Line:
        entries: list[Entry] = []
        for pair in pairs:
            values = teacher_metrics(row for row in self.rows if row.pair == pair)
            theirs = published.of(self.dataset, published.TEACHER, pair.networks)
            apart = _difference(values[0] if len(values) == 1 else None, theirs)
            entries += [Entry(text.values(values)), self._published(theirs), Entry(apart)]
            entries += [NOTHING] * (len(self.times) + 1)
        return Line(Entry(published.TEACHER), tuple(entries))

    def _published(self, number: Published | None) -> Entry:
        if number is None:
            return NOTHING
        printed = f"{number.value:.{1 if number.first.kind == 'plot' else 2}f}"
        spread = f" ± {number.first.sd:.2f}" if number.first.sd else ""
        return Entry(printed + spread, self.footnotes.mark([number.note]))


def _csv(lines: Sequence[Comparison], odd: remarks.Odd) -> str:
    """A line per row of ours that the table shows, with the published number beside it."""
    shown = [row for line in lines for row in line.rows]
    extra = {row.name: _extra(line.name, row) for line in lines for row in line.rows}
    return to_csv(shown, (FINAL, COST, WALL), odd, extra) if shown else ""


def _extra(name: str | None, row: Row) -> dict[str, str]:
    theirs = published.of(row.dataset, name, row.pair.networks)
    first = theirs.first if theirs else None
    return {
        "published_as": name or "",
        "published": f"{theirs.value:g}" if theirs else "",
        "published_sd": _or_nothing(first.sd if first else None),
        "published_hours": _or_nothing(theirs.hours if theirs else None),
        "published_kind": first.kind if first else "",
        "published_run_by": first.run_by if first else "",
        "published_source": theirs.note if theirs else "",
    }


def _or_nothing(number: float | None) -> str:
    return f"{number:g}" if number else ""


def _difference(ours: float | None, theirs: Published | None) -> str:
    return text.NOTHING if ours is None or theirs is None else text.signed(ours - theirs.value)
