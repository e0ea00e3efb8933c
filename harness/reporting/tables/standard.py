"""The tables that every study has: accuracy and time in the paper's shape, time by phase, images, the best epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting import quantities as q
from harness.reporting import text
from harness.reporting.quantities import Quantity
from harness.reporting.rows import Row, labels
from harness.reporting.tables import blocks, notes, remarks
from harness.reporting.tables.builder import Builder, Shown
from harness.reporting.tables.csv import to_csv
from harness.reporting.tables.table import Table

COUNTED = (
    "N: the images that the data scale stands for. Synthesised: all images made in a run. They are more than N where "
    "images are renewed or, with a generator that never stops, fresh in every step: such a student sees more than N. "
    "Steps: of distillation."
)


@dataclass(frozen=True)
class Spec:
    """What one table shows, and what it says below."""

    name: str
    title: str
    shown: tuple[Shown, ...]
    summarised: tuple[Quantity, ...]
    """In its csv."""
    notes: tuple[str, ...]
    teacher: bool = False
    """Whether its first line is the teacher."""


ACCURACY_TIME = Spec(
    "accuracy-time",
    "Accuracy and end-to-end time",
    (Shown(q.FINAL, "", "metric"), Shown(q.END_TO_END, "time", "time")),
    q.MEASURED,
    ("Accuracy after the last epoch; {spread}.", notes.SCOPE),
    teacher=True,
)
TIME_SPLIT = Spec(
    "time-split",
    "Time by phase",
    (
        Shown(q.STARTUP, "start-up", "time"),
        Shown(q.SYNTHESIS, "synthesis", "time"),
        Shown(q.DISTILLATION, "distillation", "time"),
    ),
    q.TIMES,
    ("Means over the seeds, by phase.", notes.SCOPE),
)
IMAGES = Spec(
    "images",
    "Images and steps",
    (
        Shown(q.IMAGES, "N", "count"),
        Shown(q.SYNTHESISED, "synthesised", "count", of_method=True),
        Shown(q.STEPS, "steps", "count"),
    ),
    q.COUNTS,
    (COUNTED,),
)
BEST_EPOCH = Spec(
    "best-epoch",
    "Best epoch (selected on test)",
    (Shown(q.BEST, "", "metric"), Shown(q.BEST_EPOCH, "epoch", "epoch")),
    (q.BEST, q.BEST_EPOCH),
    ("Best epoch, selected on the test set, shown apart from the headline; {spread}.",),
)
SPECS = (ACCURACY_TIME, TIME_SPLIT, IMAGES, BEST_EPOCH)


def tables(rows: Sequence[Row], odd: remarks.Odd) -> list[Table]:
    """The tables that every study has; ``rows`` are all of its rows, in the order of the tables' lines."""
    return [_table(spec, rows, odd) for spec in SPECS]


def _table(spec: Spec, rows: Sequence[Row], odd: remarks.Odd) -> Table:
    times = [mean for row in rows if (mean := row.summary(q.END_TO_END).mean) is not None]
    builder = Builder(spec.shown, labels(rows), odd, text.unit(times), spec.teacher)
    filled = tuple(builder.block(title, columns) for title, columns in blocks.blocks(rows, len(spec.shown)))
    said = (*(note.format(spread=notes.spread(rows)) for note in spec.notes), *notes.provenance(rows))
    csv = to_csv(rows, spec.summarised, odd)
    return Table(spec.name, spec.title, filled, builder.footnotes.texts, said, csv)
