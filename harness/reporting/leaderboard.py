"""Who wins at what cost: a ranked list for each pair at each data scale, as plain data for pages and files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting import front, speed, units
from harness.reporting.placing import REFERENCE, Place, placed
from harness.reporting.quantities import FINAL, Quantity
from harness.reporting.rows import Row, matched, metric, teacher_metrics
from harness.reporting.settings import Setting
from harness.reporting.stats import Summary, summarise
from harness.reporting.units import Unit
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
    """End to end, in the unit of its board; as on an equally fast machine (`speed.cost`)."""
    times: float | None
    """Its mean cost by that of the cheapest method above noise; None for references."""
    badges: tuple[str, ...]
    """``data-free``, or what its runs use beyond the teacher; empty where no run tells."""
    above_noise: bool
    """False for a method of which a seed is no better than chance, or than the best seed of distillation on noise."""
    overloaded: bool
    """Whether the machine of a seed had so much else to do that the cost says little (`speed.overloaded`)."""
    state: str
    """What became of its seeds where none is done, such as ``2 failed, 1 waiting``; else empty."""
    problems: tuple[str, ...]
    """A sentence per reason for which seeds do not count."""


@dataclass(frozen=True)
class Board:
    """The rows of one pair at one data scale."""

    setting: Setting
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


def board(setting: Setting) -> Board:
    """The leaderboard of a setting."""
    rows, unit = setting.rows, units.cost(setting.rows)
    places = placed([row for row in rows if not row.reference])
    cost = speed.cost(setting.part.rows)
    floor = front.floor(rows)
    cheapest = min(
        (mean for row, _ in places if front.exceeds(row, floor) and (mean := row.summary(cost).mean)), default=None
    )
    real = next((row for row in rows if row.label == REAL), None)
    busy = speed.overloaded(rows, setting.part.rows)
    ranked = tuple(_standing(row, place, real, row.summary(cost), unit, busy, cheapest, floor) for row, place in places)
    apart = tuple(_standing(row, REFERENCE, real, row.summary(cost), unit, busy) for row in rows if row.reference)
    return Board(setting, metric(rows), unit, tuple(teacher_metrics(rows)), methods=ranked, references=apart)


def _standing(
    row: Row,
    place: Place,
    real: Row | None,
    cost: Summary,
    unit: Unit,
    busy: Sequence[Row],
    cheapest: float | None = None,
    floor: float = 0.0,
) -> Standing:
    accuracy = row.summary(FINAL)
    return Standing(
        name=row.name,
        title=row.title,
        label=row.label,
        method=row.method,
        place=place,
        accuracy=accuracy,
        to_real=_to_real(row, real),
        to_teacher=row.summary(TO_TEACHER),
        cost=cost.scaled(1 / unit.size),
        times=cost.mean / cheapest if cost.mean and cheapest else None,
        badges=_badges(row),
        above_noise=accuracy.low is None or front.exceeds(row, floor),
        overloaded=row in busy,
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
