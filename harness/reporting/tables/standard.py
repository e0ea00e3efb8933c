"""The tables that every study has: accuracy and cost in the paper's shape, cost by phase, images, the best epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting import quantities as q
from harness.reporting import units
from harness.reporting.quantities import Quantity
from harness.reporting.rows import Row, labels
from harness.reporting.tables import blocks, notes, remarks
from harness.reporting.tables.builder import Builder, Shown
from harness.reporting.tables.csv import to_csv
from harness.reporting.tables.table import Table

COUNTED = (
    "N: the images that the data scale stands for. Synthesised: all images made in a run. They are more than N where "
    "images are renewed or, with a generator that never stops, fresh in every step: such a student sees more than N. "
    "Inner steps: of inversion, for each batch of images; a generator that never stops has none. Views: images that "
    "the student was shown, steps × batch."
)
ASKED = "What the teacher is asked of images that a run stores counts as distillation, also where answers are kept."


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
    "Accuracy and cost",
    (Shown(q.FINAL, "", "metric"), Shown(q.COST, "", "cost"), Shown(q.WALL, "", "wall")),
    q.MEASURED,
    ("Accuracy after the last epoch; {spread}.", notes.SCOPE),
    teacher=True,
)
TIME_SPLIT = Spec(
    "time-split",
    "Time by phase",
    (
        Shown(q.STARTUP, "start-up", "cost"),
        Shown(q.SYNTHESIS, "synthesis", "cost"),
        Shown(q.DISTILLATION, "distillation", "cost"),
    ),
    q.TIMES,
    ("{spread}.", notes.SCOPE, ASKED),
)
OPERATIONS = Spec(
    "operations",
    "Operations",
    (
        Shown(q.OPERATIONS, "", "work"),
        Shown(q.SYNTHESIS_FLOPS, "synthesis", "work"),
        Shown(q.DISTILLATION_FLOPS, "distillation", "work"),
    ),
    q.FLOPS,
    ("Counted floating-point operations, two per multiply-add: what a run costs on any machine; means.", ASKED),
)
IMAGES = Spec(
    "images",
    "Accuracy, images and views",
    (
        Shown(q.FINAL, "", "metric"),
        Shown(q.IMAGES, "N", "count"),
        Shown(q.SYNTHESISED, "synthesised", "count", of_method=True),
        Shown(q.INNER_STEPS, "inner steps", "count", of_method=True),
        Shown(q.VIEWS, "views", "count"),
    ),
    (q.FINAL, *q.COUNTS),
    (COUNTED,),
)
BEST_EPOCH = Spec(
    "best-epoch",
    "Best epoch (selected in hindsight)",
    (Shown(q.BEST, "", "metric"), Shown(q.BEST_EPOCH, "epoch", "epoch")),
    (q.BEST, q.BEST_EPOCH),
    (
        "Best epoch, selected by the accuracy that is shown, apart from the headline; {spread}.",
        "Epochs are counted from 1, in the csv file from 0.",
    ),
)
SPECS = (ACCURACY_TIME, TIME_SPLIT, OPERATIONS, IMAGES, BEST_EPOCH)


def tables(rows: Sequence[Row], odd: remarks.Odd) -> list[Table]:
    """The tables that every study has; ``rows`` are all of its rows, in the order of the tables' lines."""
    return [_table(spec, rows, odd) for spec in SPECS]


def _table(spec: Spec, rows: Sequence[Row], odd: remarks.Odd) -> Table:
    kinds = {"cost": units.cost(rows), "wall": units.wall(rows), "work": units.work(rows)}
    # On a GPU the headline is the wall's.
    shown = tuple(each for each in spec.shown if each.kind != "wall" or units.clock(rows) != "GPU")
    builder = Builder(shown, labels(rows), odd, kinds, spec.teacher)
    filled = tuple(builder.block(title, columns) for title, columns in blocks.blocks(rows, len(shown)))
    said = (
        *(_sentence(note.format(spread=notes.spread(rows))) for note in spec.notes),
        *notes.left_out(rows),
        *notes.provenance(rows),
    )
    csv = to_csv(rows, spec.summarised, odd)
    return Table(spec.name, spec.title, filled, builder.footnotes.texts, said, csv)


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]
