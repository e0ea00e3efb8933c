"""The tables of a study: accuracy and time in the paper's shape, time by phase, and the best epoch apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.reporting import layout, text
from harness.reporting.cells import Cell, labels
from harness.reporting.layout import Columns
from harness.reporting.table import Block, Column, Entry, Row, Table

SMALL = 32
"""With fewer images than this a cell says more about the protocol than about the method."""


@dataclass(frozen=True)
class Quantity:
    """A column of the frame, as a table shows it."""

    column: str
    heading: str
    """A metric goes by its own name instead."""
    kind: Literal["metric", "time", "count"]


ACCURACY_TIME = (Quantity("final", "", "metric"), Quantity("end_to_end", "time", "time"))
TIME_SPLIT = (
    Quantity("seconds.startup", "start-up", "time"),
    Quantity("seconds.synthesis", "synthesis", "time"),
    Quantity("seconds.distillation", "distillation", "time"),
)
BEST_EPOCH = (Quantity("best", "", "metric"), Quantity("best_epoch", "epoch", "count"))

SCOPE = (
    "Time is end to end: start-up + synthesis + distillation. "
    "Evaluation, waiting, checkpoints and work lost to a kill are excluded."
)


def tables(cells: Sequence[Cell], odd: Mapping[str, str]) -> list[Table]:
    """The tables of one study.

    Args:
        cells: all its cells, in the order of the rows.
        odd: path of a run -> footnote, for runs that differ from the others in teacher, code or device.
    """
    seeds = int(cells[0].runs[0]["expected"])
    spread = f"mean ± sample standard deviation over {seeds} seeds, fewer where marked (k/{seeds})"
    spread = "1 seed" if seeds == 1 else spread
    last = f"Accuracy after the last epoch; {spread}."
    best = f"Best epoch, selected on the test set, shown apart from the headline; {spread}."
    mean = "Means over the seeds, by phase."
    return [
        _table("accuracy-time", "Accuracy and end-to-end time", cells, ACCURACY_TIME, odd, (last, SCOPE)),
        _table("time-split", "Time by phase", cells, TIME_SPLIT, odd, (mean, SCOPE)),
        _table("best-epoch", "Best epoch (selected on test)", cells, BEST_EPOCH, odd, (best,)),
    ]


def _table(
    name: str,
    title: str,
    cells: Sequence[Cell],
    quantities: tuple[Quantity, ...],
    odd: Mapping[str, str],
    notes: tuple[str, ...],
) -> Table:
    times = [mean for cell in cells if (mean := cell.summary("end_to_end").mean) is not None]
    builder = _Builder(quantities, labels(cells), odd, text.unit(times))
    blocks = tuple(builder.block(heading, columns) for heading, columns in layout.blocks(cells, len(quantities)))
    return Table(name, title, blocks, builder.footnotes, (*notes, *layout.provenance(cells)))


@dataclass
class _Builder:
    """Builds the blocks of one table. Footnotes get their letters in reading order; equal ones share a letter."""

    quantities: tuple[Quantity, ...]
    order: list[str]
    odd: Mapping[str, str]
    unit: text.Unit
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def footnotes(self) -> dict[str, str]:
        return {letter: note for note, letter in self.marks.items()}

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
        runs = [run for cell in cells for run in cell.done]
        few = sorted({int(run["images"]) for run in runs if run["images"] < SMALL})
        shared = sorted({int(run["concurrent"]) for run in runs if run["device"] == "cpu"})
        small = [f"N = {_join(few)} images: fewer than {SMALL}"] if few else []
        cpu = [f"CPU times on a shared machine, concurrent cells: {_join(shared)}"] if shared else []
        heading = Entry(title, self._mark(small))
        name = text.metric(runs[0]["metric"] if runs else "top1")
        return Column(heading, tuple(self._heading(quantity, name, cpu) for quantity in self.quantities))

    def _heading(self, quantity: Quantity, metric: str, cpu: list[str]) -> Entry:
        if quantity.kind == "metric":
            return Entry(metric)
        if quantity.kind == "count":
            return Entry(quantity.heading)
        return Entry(f"{quantity.heading} ({self.unit.name})", self._mark(cpu))

    def _row(self, label: str, cells: Sequence[Cell | None]) -> Row:
        sees_data = any(cell.sees_data for cell in cells if cell)
        title = Entry(label, self._mark(["sees real data: not data-free"] if sees_data else []))
        return Row(title, tuple(entry for cell in cells for entry in self._entries(cell)))

    def _entries(self, cell: Cell | None) -> list[Entry]:
        if cell is None:
            return [Entry(text.NOTHING)] * len(self.quantities)
        odd = list(dict.fromkeys(self.odd[run["path"]] for run in cell.done if run["path"] in self.odd))
        entries = []
        for position, quantity in enumerate(self.quantities):
            summary = cell.summary(quantity.column)
            printed = _print(quantity, cell, self.unit)
            if position == 0 and not summary.complete:
                printed = f"{printed} ({summary.n}/{summary.expected})"
            notes = [*cell.problems(), *odd] if position == 0 else odd
            entries.append(Entry(printed, self._mark(notes), cell.name))
        return entries

    def _mark(self, notes: list[str]) -> tuple[str, ...]:
        return tuple(self.marks.setdefault(note, text.letters(len(self.marks))) for note in notes)


def _teacher_row(columns: Columns) -> Row:
    entries: list[Entry] = []
    for cells in columns.values():
        values = sorted({float(run["teacher_metric"]) for cell in cells for run in cell.done})
        entries += [Entry(" / ".join(f"{value:.2f}" for value in values) or text.NOTHING), Entry(text.NOTHING)]
    return Row(Entry("Teacher"), tuple(entries))


def _print(quantity: Quantity, cell: Cell, unit: text.Unit) -> str:
    summary = cell.summary(quantity.column)
    if summary.mean is None:
        return text.NOTHING
    if quantity.kind == "metric":
        return text.percent(summary)
    return text.number(summary.mean / unit.seconds) if quantity.kind == "time" else f"{summary.mean:.1f}"


def _join(counts: Sequence[int]) -> str:
    return " or ".join(str(count) for count in counts)
