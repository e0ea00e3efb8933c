"""Who wins at what cost: a ranked list for each pair at each data scale, as plain data for pages and files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting import names, units
from harness.reporting.placing import REFERENCE, Place, placed
from harness.reporting.quantities import COST, FINAL, Quantity
from harness.reporting.rows import Row, by_pair, matched, metric, teacher_metrics
from harness.reporting.settings import Setting, place, settings
from harness.reporting.stats import Summary, summarise
from harness.reporting.units import Unit
from methods.base.pair import Pair
from methods.base.prior import Prior

REAL = "kd-real"
"""The reference that learns from N real images, as the methods do from N synthetic ones."""
TO_TEACHER = Quantity("to_teacher", lambda run: None if run.final is None else run.final - run.teacher_metric)


@dataclass(frozen=True)
class Standing:
    """One row on a board: a label with its seeds."""

    name: str
    """Its folder under the results folder; the anchor of its runs on the page."""
    title: str
    """The label as printed."""
    label: str
    method: str
    place: Place
    accuracy: Summary
    """Percent, after the last epoch; over how many seeds of how many it is."""
    to_real: Summary
    """Points above ``kd-real``, over the seeds that both have; without a mean where there are none."""
    to_teacher: Summary
    """Points above its teacher."""
    cost: Summary
    """End to end, in the unit of its board."""
    times: float | None
    """Its mean cost by that of the cheapest method; None for references."""
    badges: tuple[str, ...]
    """``data-free``, or what its runs use beyond the teacher; empty where no run tells."""
    overloaded: bool
    """Whether the machine of a seed had so much else to do that the cost says little."""
    state: str
    """What became of its seeds where none is done, such as ``2 failed, 1 waiting``; else empty."""
    problems: tuple[str, ...]
    """A sentence per reason for which seeds do not count."""


@dataclass(frozen=True)
class Board:
    """The rows of one pair at one data scale."""

    name: str
    """``study/dataset/teacher--student/scale-P``; its anchor on the page."""
    study: str
    dataset: str
    pair: Pair
    scale: float
    """Percent."""
    title: str
    """Dataset, pair and scale as printed."""
    metric: str
    """Name and unit of the metric as printed."""
    unit: Unit
    """Of costs."""
    teachers: tuple[float, ...]
    """The different accuracies of the teachers behind it, percent: one, unless teachers are mixed."""
    methods: tuple[Standing, ...]
    """Ranked; then what could not be tested; then what has no result."""
    references: tuple[Standing, ...]
    """Not ranked, in the order of tables."""


@dataclass(frozen=True)
class Boards:
    """What a pair has: a board for each data scale, the largest first."""

    name: str
    """``study/dataset/teacher--student``; its anchor on the page."""
    dataset: str
    pair: Pair
    title: str
    """Dataset and pair as printed."""
    boards: tuple[Board, ...]


def boards(rows: Sequence[Row]) -> list[Boards]:
    """The boards of one study's rows, pair by pair."""
    return [_boards(own) for own in by_pair(rows)]


def _boards(rows: Sequence[Row]) -> Boards:
    found = tuple(_board(setting) for setting in settings(rows))
    return Boards(place(rows), rows[0].dataset, rows[0].pair, _title(rows[0]), found)


def _title(row: Row) -> str:
    return f"{names.dataset(row.dataset)}, {names.pair(row.pair)}"


def _board(setting: Setting) -> Board:
    rows, first, unit = setting.rows, setting.rows[0], units.cost(setting.rows)
    places = placed([row for row in rows if not row.reference])
    cheapest = min((mean for row, _ in places if (mean := row.summary(COST).mean)), default=None)
    real = next((row for row in rows if row.label == REAL), None)
    ranked = tuple(_standing(row, place, real, unit, cheapest) for row, place in places)
    apart = tuple(_standing(row, REFERENCE, real, unit, None) for row in rows if row.reference)
    teachers = tuple(teacher_metrics(rows))
    title = f"{_title(first)}, {setting.scale} % data"
    known = (setting.anchor, first.study, first.dataset, first.pair, first.scale, title, metric(rows), unit, teachers)
    return Board(*known, methods=ranked, references=apart)


def _standing(row: Row, place: Place, real: Row | None, unit: Unit, cheapest: float | None) -> Standing:
    cost = row.summary(COST)
    return Standing(
        name=row.name,
        title=row.title,
        label=row.label,
        method=row.method,
        place=place,
        accuracy=row.summary(FINAL),
        to_real=_to_real(row, real),
        to_teacher=row.summary(TO_TEACHER),
        cost=cost.scaled(1 / unit.size),
        times=cost.mean / cheapest if cost.mean and cheapest else None,
        badges=_badges(row),
        overloaded=bool(row.overloaded),
        state="" if row.done else _state(row),
        problems=tuple(row.problems()),
    )


def _to_real(row: Row, real: Row | None) -> Summary:
    both = matched(row, real, FINAL) if real and row is not real else []
    return summarise([own - theirs for own, theirs in both], row.expected)


def _badges(row: Row) -> tuple[str, ...]:
    known = {run.metrics.prior for run in row.recorded}
    return tuple("data-free" if prior is Prior.NONE else str(prior) for prior in Prior if prior in known)


def _state(row: Row) -> str:
    """``waiting``, or how many seeds are in which state where they differ."""
    counts = Counter(run.status for run in row.runs)
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
