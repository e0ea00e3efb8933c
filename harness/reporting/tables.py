"""The tables of a study: accuracy and time in the paper's shape, time by phase, images, and the best epoch apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.reporting import layout, long, remarks, text
from harness.reporting.cells import Cell, labels
from harness.reporting.layout import Columns
from harness.reporting.table import Block, Column, Entry, Footnotes, Row, Table


@dataclass(frozen=True)
class Quantity:
    """A column of the frame, as a table shows it."""

    column: str
    heading: str
    """A metric goes by its own name instead."""
    kind: Literal["metric", "time", "epoch", "count"]
    of_method: bool = False
    """Says nothing about students that learn from real images."""


@dataclass(frozen=True)
class Spec:
    """Which quantities a table shows, and what it says below."""

    name: str
    title: str
    quantities: tuple[Quantity, ...]
    notes: tuple[str, ...]
    csv: tuple[str, ...]
    """Columns of the frame that its csv summarises."""


ACCURACY_TIME = (Quantity("final", "", "metric"), Quantity("end_to_end", "time", "time"))
TIME_SPLIT = (
    Quantity("seconds.startup", "start-up", "time"),
    Quantity("seconds.synthesis", "synthesis", "time"),
    Quantity("seconds.distillation", "distillation", "time"),
)
IMAGES = (
    Quantity("images", "N", "count"),
    Quantity("images_synthesised", "synthesised", "count", of_method=True),
    Quantity("steps", "steps", "count"),
)
BEST_EPOCH = (Quantity("best", "", "metric"), Quantity("best_epoch", "epoch", "epoch"))

SCOPE = (
    "Time is end to end: start-up + synthesis + distillation. "
    "Evaluation, waiting, checkpoints and work lost to a kill are excluded."
)
COUNTED = (
    "N: the images that the data scale stands for. Synthesised: all images made in a run. They are more than N where "
    "images are renewed or, with a generator that never stops, fresh in every step: such a student sees more than N. "
    "Steps: of distillation."
)


def spread(cells: Sequence[Cell]) -> str:
    """What the number after ± is."""
    seeds = int(cells[0].runs[0]["expected"])
    several = f"mean ± sample standard deviation over {seeds} seeds, fewer where marked (k/{seeds})"
    return "1 seed" if seeds == 1 else several


def tables(cells: Sequence[Cell], odd: remarks.Odd) -> list[Table]:
    """The tables that every study has; ``cells`` are all of its cells, in the order of the rows."""
    last = f"Accuracy after the last epoch; {spread(cells)}."
    best = f"Best epoch, selected on the test set, shown apart from the headline; {spread(cells)}."
    mean = "Means over the seeds, by phase."
    return [
        _table(spec, cells, odd)
        for spec in (
            Spec("accuracy-time", "Accuracy and end-to-end time", ACCURACY_TIME, (last, SCOPE), tuple(long.MEASURED)),
            Spec("time-split", "Time by phase", TIME_SPLIT, (mean, SCOPE), long.TIMES),
            Spec("images", "Images and steps", IMAGES, (COUNTED,), long.COUNTS),
            Spec("best-epoch", "Best epoch (selected on test)", BEST_EPOCH, (best,), ("best", "best_epoch")),
        )
    ]


def _table(spec: Spec, cells: Sequence[Cell], odd: remarks.Odd) -> Table:
    times = [mean for cell in cells if (mean := cell.summary("end_to_end").mean) is not None]
    builder = _Builder(spec.quantities, labels(cells), odd, text.unit(times))
    blocks = tuple(builder.block(heading, columns) for heading, columns in layout.blocks(cells, len(spec.quantities)))
    notes = (*spec.notes, *layout.provenance(cells))
    csv = long.to_csv(cells, spec.csv, odd)
    return Table(spec.name, spec.title, blocks, builder.footnotes.texts, notes, csv)


@dataclass
class _Builder:
    """Builds the blocks of one table."""

    quantities: tuple[Quantity, ...]
    order: list[str]
    odd: remarks.Odd
    unit: text.Unit
    footnotes: Footnotes = field(default_factory=Footnotes)

    def block(self, block_title: str, columns: Columns) -> Block:
        head = tuple(self._head(title, cells) for title, cells in columns.items())
        rows = [_teacher_row(columns)] if self.quantities is ACCURACY_TIME else []
        by_label = [{cell.label: cell for cell in cells} for cells in columns.values()]
        for label in self.order:
            found = [cells.get(label) for cells in by_label]
            if any(found):
                rows.append(self._row(label, found))
        return Block(block_title, head, tuple(rows))

    def _head(self, title: str, cells: Sequence[Cell]) -> Column:
        heading = Entry(title, self.footnotes.mark(remarks.of_data(cells)))
        return Column(heading, tuple(self._heading(quantity, cells) for quantity in self.quantities))

    def _heading(self, quantity: Quantity, cells: Sequence[Cell]) -> Entry:
        if quantity.kind == "metric":
            return Entry(layout.metric(cells))
        if quantity.kind == "time":
            return Entry(f"{quantity.heading} ({self.unit.name})", self.footnotes.mark(remarks.of_time(cells)))
        return Entry(quantity.heading)

    def _row(self, label: str, cells: Sequence[Cell | None]) -> Row:
        there = [cell for cell in cells if cell]
        title = Entry(label, self.footnotes.mark(remarks.of_row(there)))
        return Row(title, tuple(entry for cell in cells for entry in self._entries(cell, there)))

    def _entries(self, cell: Cell | None, row: Sequence[Cell]) -> list[Entry]:
        if cell is None:
            return [Entry(text.NOTHING)] * len(self.quantities)
        of_cell, of_runs = remarks.of_cell(cell, row, self.odd), remarks.of_runs(cell, self.odd)
        first, *others = [self._print(quantity, cell) for quantity in self.quantities]
        first += text.share(cell.summary(self.quantities[0].column))
        return [
            Entry(first, self.footnotes.mark(of_cell), cell.name),
            *(Entry(other, self.footnotes.mark(of_runs), cell.name) for other in others),
        ]

    def _print(self, quantity: Quantity, cell: Cell) -> str:
        summary = cell.summary(quantity.column)
        if summary.mean is None or (quantity.of_method and cell.sees_data):
            return text.NOTHING
        if quantity.kind == "metric":
            return text.percent(summary)
        if quantity.kind == "time":
            return text.number(summary.mean / self.unit.seconds)
        return f"{summary.mean:.1f}" if quantity.kind == "epoch" else f"{summary.mean:,.0f}"


def _teacher_row(columns: Columns) -> Row:
    entries: list[Entry] = []
    for cells in columns.values():
        values = sorted({float(run["teacher_metric"]) for cell in cells for run in cell.done})
        entries += [Entry(" / ".join(f"{value:.2f}" for value in values) or text.NOTHING), Entry(text.NOTHING)]
    return Row(Entry("Teacher"), tuple(entries))
