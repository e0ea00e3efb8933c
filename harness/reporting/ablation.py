"""The ablation tables of a study (the paper's table 4): one row per variant of a method, against its baseline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.reporting import layout, long, remarks, text
from harness.reporting.cells import Cell, labels
from harness.reporting.table import Block, Column, Entry, Footnotes, Row, Table
from harness.reporting.tables import spread
from harness.reporting.variants import Options, Variants, by_label, differing, groups

DIFFERENCE = "Δ"


def ablations(cells: Sequence[Cell], odd: remarks.Odd) -> list[Table]:
    """A table for each method of a study that runs under three labels or more, with different options."""
    return [_table(group, odd) for group in groups(cells)]


def _table(group: Variants, odd: remarks.Odd) -> Table:
    builder = _Builder(group, odd)
    blocks = tuple(block for pair in group.pairs for block in builder.blocks(pair))
    notes = (
        f"Accuracy after the last epoch; {spread(group.cells)}.",
        f"{DIFFERENCE}: difference to {group.baseline} in points, seed by seed, over the seeds that both have.",
        f"Options as resolved, where any row differs; empty: as {group.baseline}.",
        *layout.provenance(group.cells),
    )
    name = f"ablation-{group.method.replace('/', '-')}"
    return Table(name, f"Ablation of {group.method}", blocks, builder.footnotes.texts, notes, _csv(group, odd))


@dataclass
class _Builder:
    """Builds the blocks of one table, pair by pair."""

    group: Variants
    odd: remarks.Odd
    footnotes: Footnotes = field(default_factory=Footnotes)

    def blocks(self, cells: Sequence[Cell]) -> list[Block]:
        """The blocks of one pair: the options that differ there, and as many scales as fit beside them."""
        names, options = differing(cells), by_label(cells)
        parts = layout.blocks(cells, 2, max(2, layout.WIDTH - len(names)))
        return [self._block(title, columns, names, options) for title, columns in parts]

    def _block(self, title: str, columns: layout.Columns, names: list[str], options: dict[str, Options]) -> Block:
        head = [Column(Entry(""), tuple(Entry(name.replace("_", " ")) for name in names))] if names else []
        head += [self._head(heading, cells) for heading, cells in columns.items()]
        scales = [{cell.label: cell for cell in cells} for cells in columns.values()]
        rows = [
            self._row(label, self._changes(label, names, options), [cells.get(label) for cells in scales])
            for label in labels(self.group.cells)
            if any(label in cells for cells in scales)
        ]
        return Block(title, tuple(head), tuple(rows))

    def _head(self, title: str, cells: Sequence[Cell]) -> Column:
        heading = Entry(title, self.footnotes.mark(remarks.of_data(cells)))
        return Column(heading, (Entry(layout.metric(cells)), Entry(DIFFERENCE)))

    def _changes(self, label: str, names: list[str], options: dict[str, Options]) -> list[Entry]:
        """All options of the baseline; of a variant, those in which it differs."""
        own, base = options[label], options.get(self.group.baseline, {})
        hidden = base if label != self.group.baseline and own else {}
        printed = [own.get(name, text.NOTHING) for name in names]
        return [Entry("" if value == hidden.get(name) else value) for name, value in zip(names, printed, strict=True)]

    def _row(self, label: str, changes: list[Entry], cells: Sequence[Cell | None]) -> Row:
        there = [cell for cell in cells if cell]
        printed = f"{label} (baseline)" if label == self.group.baseline else label
        title = Entry(printed, self.footnotes.mark(remarks.of_row(there)))
        return Row(title, (*changes, *(entry for cell in cells for entry in self._entries(cell, there))))

    def _entries(self, cell: Cell | None, row: Sequence[Cell]) -> list[Entry]:
        if cell is None:
            return [Entry(text.NOTHING)] * 2
        final = cell.summary("final")
        marks = self.footnotes.mark(remarks.of_cell(cell, row, self.odd))
        return [
            Entry(text.percent(final) + text.share(final), marks, cell.name),
            Entry(self._difference(cell, final.n), link=cell.name),
        ]

    def _difference(self, cell: Cell, n: int) -> str:
        """Seeds are counted again only where the baseline lacks some of the variant's."""
        if cell.label == self.group.baseline:
            return ""
        paired = self.group.to_baseline(cell)
        return text.difference(paired) + (text.share(paired) if 0 < paired.n < n else "")


def _csv(group: Variants, odd: remarks.Odd) -> str:
    names = sorted({name for pair in group.pairs for name in differing(pair)})
    extra = {}
    for pair in group.pairs:
        options = by_label(pair)
        for cell in pair:
            values = {f"option_{name}": options[cell.label].get(name, "") for name in names}
            paired = group.to_baseline(cell)
            numbers = {**long.summarised("final_difference", paired), "final_difference_n": str(paired.n)}
            extra[cell.name] = {"baseline": group.baseline, **values, **numbers}
    return long.to_csv(group.cells, ("final",), odd, extra)
