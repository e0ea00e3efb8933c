"""The ablation tables of a study (the paper's table 4): one line per variant of a method, against its baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.reporting import names, text
from harness.reporting.quantities import FINAL
from harness.reporting.rows import Row, labels, metric
from harness.reporting.tables import blocks, notes, remarks
from harness.reporting.tables.blocks import Columns
from harness.reporting.tables.csv import summarised, to_csv
from harness.reporting.tables.table import NOTHING, Block, Column, Entry, Footnotes, Line, Table
from harness.reporting.tables.variants import Options, Variants, differing, groups, options

DIFFERENCE = "Δ"


def tables(rows: Sequence[Row], odd: remarks.Odd) -> list[Table]:
    """A table for each method of a study that runs under three labels or more, with different options."""
    return [_table(group, odd) for group in groups(rows)]


def _table(group: Variants, odd: remarks.Odd) -> Table:
    builder = _Builder(group, odd)
    filled = tuple(block for pair in group.pairs for block in builder.blocks(pair))
    said = (
        f"Accuracy after the last epoch; {notes.spread(group.rows)}.",
        f"{DIFFERENCE}: difference to {group.title} in points, seed by seed, over the seeds that both have.",
        f"Options as resolved, where any row differs; empty: as {group.title}.",
        *notes.left_out(group.rows),
        *notes.provenance(group.rows),
    )
    # A method outside the package is named by its path.
    name = text.stem("ablation", group.method)
    return Table(
        name, f"Ablation of {names.label(group.method)}", filled, builder.footnotes.texts, said, _csv(group, odd)
    )


@dataclass
class _Builder:
    """Builds the blocks of one table, pair by pair."""

    group: Variants
    odd: remarks.Odd
    footnotes: Footnotes = field(default_factory=Footnotes)

    def blocks(self, rows: Sequence[Row]) -> list[Block]:
        """The blocks of one pair: the options that differ there, and as many scales as fit beside them."""
        shown, known = differing(rows), options(rows)
        parts = blocks.blocks(rows, 2, max(2, blocks.WIDTH - len(shown)))
        return [self._block(title, columns, shown, known) for title, columns in parts]

    def _block(self, title: str, columns: Columns, shown: list[str], known: dict[str, Options]) -> Block:
        head = [Column(Entry(""), tuple(Entry(text.short(name.replace("_", " "))) for name in shown))] if shown else []
        head += [self._head(heading, rows) for heading, rows in columns.items()]
        scales = [{row.label: row for row in rows} for rows in columns.values()]
        lines = [
            self._line(label, self._changes(label, shown, known), [rows.get(label) for rows in scales])
            for label in labels(self.group.rows)
            if any(label in rows for rows in scales)
        ]
        return Block(title, tuple(head), tuple(lines))

    def _head(self, title: str, rows: Sequence[Row]) -> Column:
        heading = Entry(title, self.footnotes.mark(remarks.of_data(rows)))
        return Column(heading, (Entry(metric(rows)), Entry(DIFFERENCE)))

    def _changes(self, label: str, shown: list[str], known: dict[str, Options]) -> list[Entry]:
        """All options of the baseline; of a variant, those in which it differs."""
        own, base = known[label], known.get(self.group.baseline, {})
        hidden = base if label != self.group.baseline and own else {}
        printed = [own.get(name, text.NOTHING) for name in shown]
        return [
            Entry("" if value == hidden.get(name) else text.short(value))
            for name, value in zip(shown, printed, strict=True)
        ]

    def _line(self, label: str, changes: list[Entry], rows: Sequence[Row | None]) -> Line:
        there = [row for row in rows if row]
        printed = there[0].title + " (baseline)" * (label == self.group.baseline)
        title = Entry(printed, self.footnotes.mark(remarks.of_line(there)))
        return Line(title, (*changes, *(entry for row in rows for entry in self._entries(row, there))))

    def _entries(self, row: Row | None, line: Sequence[Row]) -> list[Entry]:
        if row is None:
            return [NOTHING] * 2
        final = row.summary(FINAL)
        marks = self.footnotes.mark(remarks.of_row(row, line, self.odd))
        return [
            Entry(text.percent(final) + text.share(final), marks, row.name),
            Entry(self._difference(row, final.n), link=row.name),
        ]

    def _difference(self, row: Row, n: int) -> str:
        """Seeds are counted again only where the baseline lacks some of the variant's."""
        if row.label == self.group.baseline:
            return ""
        paired = self.group.to_baseline(row)
        return text.difference(paired) + (text.share(paired) if 0 < paired.n < n else "")


def _csv(group: Variants, odd: remarks.Odd) -> str:
    # Every row has all columns of the file, also those of options that differ only for another pair.
    shown = sorted({name for pair in group.pairs for name in differing(pair)})
    extra = {}
    for pair in group.pairs:
        known = options(pair)
        for row in pair:
            values = {f"option_{name}": known[row.label].get(name, "") for name in shown}
            paired = group.to_baseline(row)
            numbers = {**summarised("final_difference", paired), "final_difference_n": str(paired.n)}
            extra[row.name] = {"baseline": group.baseline, **values, **numbers}
    return to_csv(group.rows, (FINAL,), odd, extra)
