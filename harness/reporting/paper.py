"""The papers' tables 1 to 3, theirs beside ours: one table per dataset of which numbers were published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.reporting import layout, long, published, remarks, text
from harness.reporting.cells import Cell, labels
from harness.reporting.published import Published
from harness.reporting.table import Block, Column, Entry, Footnotes, Row, Table
from harness.reporting.tables import SCOPE, spread

HOUR = 3600.0
NOTHING = Entry(text.NOTHING)
PUBLISHED = (
    "Published: as printed, mostly the best epoch on the test set; hours as their sources count them. "
    "Δ: ours minus published, in points."
)

Pair = tuple[str, str]
"""Teacher and student."""


def paper(cells: Sequence[Cell], odd: remarks.Odd) -> list[Table]:
    """A table for each dataset of a study that the papers report, however few cells are done."""
    found = sorted({cell.dataset for cell in cells} & published.datasets())
    return [_table(dataset, [cell for cell in cells if cell.dataset == dataset], odd) for dataset in found]


def _table(dataset: str, cells: Sequence[Cell], odd: remarks.Odd) -> Table:
    builder = _Builder(dataset, cells, odd, _lines(dataset, cells))
    pairs = list(dict.fromkeys((cell.teacher, cell.student) for cell in cells))
    width = layout.WIDTH // len(builder.heads)
    blocks = tuple(builder.block(pairs[start : start + width]) for start in range(0, len(pairs), width))
    notes = (
        f"Ours: after the last epoch; {spread(cells)}. {SCOPE}",
        PUBLISHED,
        *layout.provenance(cells),
    )
    title = f"Published and measured: {dataset}"
    return Table(f"published-{dataset}", title, blocks, builder.footnotes.texts, notes, builder.csv())


@dataclass(frozen=True)
class _Line:
    """A row: what the papers call it, and our cells, one per pair at most."""

    name: str | None
    """None for labels that no paper's table has."""
    label: str | None
    """None for rows that we have not run."""
    scale: float
    cells: tuple[Cell, ...] = ()

    @property
    def title(self) -> str:
        ours = f"{self.label}, {self.scale:g} %" if self.label and self.scale != 100.0 else self.label
        return " · ".join(part for part in (self.name, ours) if part)

    def cell(self, pair: Pair) -> Cell | None:
        return next((cell for cell in self.cells if (cell.teacher, cell.student) == pair), None)


def _lines(dataset: str, cells: Sequence[Cell]) -> list[_Line]:
    """The papers' rows in their order, then the labels that they do not have."""
    own = {label: [cell for cell in cells if cell.label == label] for label in labels(cells)}
    names = {label: published.counterpart(found) for label, found in own.items()}
    lines: list[_Line] = []
    for name in (*published.rows(dataset), None):
        mine = [line for label in own if names[label] == name for line in _own_lines(name, label, own[label])]
        lines += mine or ([_Line(name, None, 100.0)] if name else [])
    return lines


def _own_lines(name: str | None, label: str, cells: Sequence[Cell]) -> list[_Line]:
    scales = sorted({cell.scale for cell in cells}, reverse=True)
    shown = scales if published.every_scale(cells[0].method) else [scale for scale in scales if scale == 100.0]
    return [_Line(name, label, scale, tuple(cell for cell in cells if cell.scale == scale)) for scale in shown]


@dataclass
class _Builder:
    """Builds the blocks of one dataset's table."""

    dataset: str
    cells: Sequence[Cell]
    odd: remarks.Odd
    lines: Sequence[_Line]
    footnotes: Footnotes = field(default_factory=Footnotes)

    @property
    def heads(self) -> tuple[str, ...]:
        return layout.metric(self.cells), "published", "Δ", "time (h)", "published (h)"

    def block(self, pairs: Sequence[Pair]) -> Block:
        columns = tuple(Column(Entry(" → ".join(pair)), tuple(map(Entry, self.heads))) for pair in pairs)
        return Block(self.dataset, columns, (self._teachers(pairs), *(self._row(line, pairs) for line in self.lines)))

    def csv(self) -> str:
        """A row per cell of ours that the table shows."""
        extra = {cell.name: _extra(line.name, cell) for line in self.lines for cell in line.cells}
        shown = [cell for line in self.lines for cell in line.cells]
        return long.to_csv(shown, ("final", "end_to_end"), self.odd, extra) if shown else ""

    def _row(self, line: _Line, pairs: Sequence[Pair]) -> Row:
        title = Entry(line.title, self.footnotes.mark(remarks.of_row(line.cells)) if line.cells else ())
        return Row(title, tuple(entry for pair in pairs for entry in self._entries(line, pair)))

    def _entries(self, line: _Line, pair: Pair) -> list[Entry]:
        printed = published.of(self.dataset, line.name, *pair) if line.name else None
        hours = Entry(text.number(printed.hours)) if printed and printed.hours else NOTHING
        if (cell := line.cell(pair)) is None:
            return [NOTHING, self._printed(printed), NOTHING, NOTHING, hours]
        final, time = cell.summary("final"), cell.summary("end_to_end").mean
        marks = self.footnotes.mark(remarks.of_cell(cell, line.cells, self.odd))
        return [
            Entry(text.percent(final) + text.share(final), marks, cell.name),
            self._printed(printed),
            Entry(_difference(final.mean, printed)),
            NOTHING if time is None else Entry(text.number(time / HOUR), self._of_time(cell), cell.name),
            hours,
        ]

    def _teachers(self, pairs: Sequence[Pair]) -> Row:
        entries: list[Entry] = []
        for pair in pairs:
            runs = [run for cell in self.cells if (cell.teacher, cell.student) == pair for run in cell.done]
            values = sorted({float(run["teacher_metric"]) for run in runs})
            printed = published.of(self.dataset, published.TEACHER, *pair)
            ours = Entry(" / ".join(f"{value:.2f}" for value in values) or text.NOTHING)
            apart = _difference(values[0] if len(values) == 1 else None, printed)
            entries += [ours, self._printed(printed), Entry(apart), NOTHING, NOTHING]
        return Row(Entry(published.TEACHER), tuple(entries))

    def _printed(self, number: Published | None) -> Entry:
        return Entry(f"{number.value:.2f}", self.footnotes.mark([number.note])) if number else NOTHING

    def _of_time(self, cell: Cell) -> tuple[str, ...]:
        return self.footnotes.mark(remarks.of_time([cell]))


def _extra(name: str | None, cell: Cell) -> dict[str, str]:
    """The published number beside a cell, for the csv."""
    printed = published.of(cell.dataset, name, cell.teacher, cell.student) if name else None
    return {
        "published_as": name or "",
        "published": f"{printed.value:g}" if printed else "",
        "published_hours": f"{printed.hours:g}" if printed and printed.hours else "",
        "published_source": printed.note if printed else "",
    }


def _difference(ours: float | None, printed: Published | None) -> str:
    if ours is None or printed is None:
        return text.NOTHING
    return f"{ours - printed.value:+.2f}".replace("-", "−")
