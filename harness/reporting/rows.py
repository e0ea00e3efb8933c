"""The rows of reports: one label on one pair at one data scale, with all of its seeds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from harness.reporting import names, text
from harness.reporting.quantities import Quantity
from harness.reporting.runs import RecordedRun, Run, WaitingRun
from harness.reporting.stats import Summary, summarise
from methods import REFERENCES
from methods.base.pair import Pair
from methods.base.prior import Prior

REASON_LENGTH = 160


@dataclass(frozen=True)
class Row:
    """The seeds of one label on one pair at one data scale."""

    runs: tuple[Run, ...]
    """One per seed and at least one, in seed order, whatever their status."""

    @property
    def name(self) -> str:
        """Its folder under the results folder; the anchor of its runs on the page."""
        return self.runs[0].name.row

    @property
    def study(self) -> str:
        """Its study."""
        return self.runs[0].name.study

    @property
    def dataset(self) -> str:
        """What the teacher was trained on and the student is tested on."""
        return self.runs[0].name.dataset

    @property
    def pair(self) -> Pair:
        """Teacher and student."""
        return self.runs[0].name.pair

    @property
    def label(self) -> str:
        """What the study calls the method with its options."""
        return self.runs[0].name.label

    @property
    def title(self) -> str:
        """What the label is called in print."""
        return names.label(self.label, self.method)

    @property
    def scale(self) -> float:
        """Percent."""
        return self.runs[0].name.scale

    @property
    def expected(self) -> int:
        """How many seeds the study has."""
        return self.runs[0].expected

    @property
    def recorded(self) -> list[RecordedRun]:
        """The runs of which the records can be read."""
        return [run for run in self.runs if isinstance(run, RecordedRun)]

    @property
    def done(self) -> list[RecordedRun]:
        """The runs that count: neither failed nor diverged, neither damaged nor waiting."""
        return [run for run in self.recorded if run.status == "done"]

    @property
    def method(self) -> str:
        """The method that the label runs; the label itself where neither a record nor the plan tells."""
        planned = (run.method for run in self.runs if isinstance(run, WaitingRun))
        return next(itertools.chain((run.metrics.method for run in self.recorded), planned), self.label)

    @property
    def reference(self) -> bool:
        """Whether this is a reference and not a data-free method under test."""
        return self.sees_data or self.label in REFERENCES or self.method in REFERENCES

    @property
    def priors(self) -> list[Prior]:
        """What its runs use beyond the teacher; empty where that is nothing."""
        found = {run.metrics.prior for run in self.recorded}
        return [prior for prior in Prior if prior in found and prior is not Prior.NONE]

    @property
    def sees_data(self) -> bool:
        """Whether real images reached the student."""
        return Prior.REAL_IMAGES in self.priors

    @property
    def overloaded(self) -> list[RecordedRun]:
        """The runs that count while their machine had so much else to do that their seconds say little."""
        return [run for run in self.done if run.metrics.overloaded]

    def summary(self, quantity: Quantity) -> Summary:
        """Mean and standard deviation of a quantity over the seeds that are done and report it."""
        return summarise(self.values(quantity), self.expected)

    def values(self, quantity: Quantity) -> list[float]:
        """A quantity of the seeds that are done and report it, in seed order."""
        values = (quantity.of(run.metrics) for run in self.done)
        return [value for value in values if value is not None]

    def problems(self) -> list[str]:
        """One sentence per reason for which seeds do not count."""
        lost: dict[str, list[int]] = {}
        for run in self.runs:
            if run.status != "done":
                lost.setdefault(f"{run.status}: {_short(run.reason)}", []).append(run.name.seed)
        return [f"{text.seeds(seeds)} {reason}" for reason, seeds in lost.items()]


def group(runs: Iterable[Run]) -> list[Row]:
    """The rows of these runs: references first, then methods, in natural order of their labels."""
    grouped: dict[str, list[Run]] = {}
    for run in runs:
        grouped.setdefault(run.name.row, []).append(run)
    rows = [Row(tuple(sorted(seeds, key=lambda run: run.name.seed))) for seeds in grouped.values()]
    return sorted(rows, key=lambda row: (_rank(row), natural(row.label), -row.scale, row.name))


def matched(row: Row, other: Row, quantity: Quantity) -> list[tuple[float, float]]:
    """A quantity of both rows, for every seed that both have done and that tells it, in seed order."""
    return by_seed(row, other, lambda run: quantity.of(run.metrics))


def by_seed(row: Row, other: Row, value: Callable[[RecordedRun], float | None]) -> list[tuple[float, float]]:
    """As `matched`, of anything that a run tells."""
    theirs = {run.name.seed: value(run) for run in other.done}
    both = [(value(run), theirs.get(run.name.seed)) for run in row.done]
    return [(own, their) for own, their in both if own is not None and their is not None]


def difference(row: Row, label: str, rows: Iterable[Row], quantity: Quantity) -> Summary:
    """A quantity's difference to another label on the same pair at the same scale, over the seeds that both have done.

    Args:
        label: of which the row is among ``rows``; without it there is no mean.
    """
    opposite = replace(row.runs[0].name, label=label).row
    found = (matched(row, other, quantity) for other in rows if other.name == opposite)
    return summarise([own - their for own, their in next(found, [])], row.expected)


def labels(rows: Iterable[Row]) -> list[str]:
    """The different labels, in the order of ``rows``."""
    return list(dict.fromkeys(row.label for row in rows))


def titles(rows: Iterable[Row]) -> dict[str, str]:
    """Label -> what it is called in print: short, and unlike all others."""
    return text.titles({row.label: row.title for row in rows})


def by_pair(rows: Iterable[Row]) -> list[list[Row]]:
    """The rows of each pair on each dataset of each study, sorted by these names."""
    pairs: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        pairs.setdefault((row.study, row.dataset, row.pair.teacher, row.pair.student), []).append(row)
    return [own for _, own in sorted(pairs.items())]


def metric(rows: Sequence[Row]) -> str:
    """Name and unit of the rows' metric as printed."""
    return text.metric(next((run.metrics.metric for row in rows for run in row.done), "top1"))


def teacher_metrics(rows: Iterable[Row]) -> list[float]:
    """The different values that the teachers of the runs that count have, in percent, sorted."""
    return sorted({run.metrics.teacher_metric for row in rows for run in row.done})


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key under which ``fast-2`` comes before ``fast-10``."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", name)]


def _rank(row: Row) -> int:
    """References in their order, then labels of our own that are references too, then everything else."""
    return REFERENCES.index(row.label) if row.label in REFERENCES else len(REFERENCES) + (not row.reference)


def _short(reason: str | None) -> str:
    """One line of at most REASON_LENGTH characters."""
    printed = " ".join((reason or text.NO_REASON).split())
    return printed if len(printed) <= REASON_LENGTH else printed[: REASON_LENGTH - 1] + "…"
