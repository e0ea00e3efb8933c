"""What the page says of one run: its numbers, its state, and the facts behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.reporting import quantities as q
from harness.reporting import text
from harness.reporting.outliers import outlier
from harness.reporting.page.trails import Link
from harness.reporting.quantities import Quantity
from harness.reporting.rows import Row
from harness.reporting.runs import RecordedRun, Run
from harness.reporting.tables import remarks
from harness.store import verdict

POINTS, SHARE = 1.0, 0.1
"""By how many points of accuracy, and which share of the mean cost, a seed stands apart at least: our choice."""


@dataclass(frozen=True)
class Value:
    """What is said of one seed."""

    text: str
    apart: bool = False
    """Whether it is an outlier among the seeds."""
    bad: bool = False
    """Whether it says that a run does not count."""
    links: tuple[Link, ...] = ()


Of = Callable[[Run], Value]

FACTS: dict[str, Callable[[RecordedRun], str]] = {
    "code": lambda run: text.commit(run.last),
    "teacher": lambda run: text.sha(run.metrics.teacher_sha256),
    "device": lambda run: run.metrics.device_name,
    "threads": lambda run: str(run.metrics.threads),
    "precision": lambda run: run.metrics.precision or text.UNKNOWN,
    "attempts": lambda run: str(run.manifest.begun),
}
"""What is said once where it is equal in all runs of a setting."""


def facts(run: RecordedRun) -> dict[str, str]:
    """All of them."""
    return {name: of(run) for name, of in FACTS.items()}


def fact(name: str) -> Of:
    """One of them."""
    return lambda run: Value(FACTS[name](run) if isinstance(run, RecordedRun) else "")


def state(run: Run) -> Value:
    """Empty for a run that is done and of which there is nothing to say."""
    if not isinstance(run, RecordedRun) or run.status != "done":
        return Value(f"{run.status}: {run.reason or text.NO_REASON}", bad=True)
    busy = f"machine overloaded: {remarks.overload(run.metrics)}" if run.metrics.overloaded else ""
    return Value(", ".join(filter(None, [busy, verdict.words(run.folder)])))


def numbers(*quantities: Quantity, form: str = ".1f", between: str = ", ", odd: int | None = None) -> Of:
    """Quantities of a run in one text; marked for the seed ``odd``."""

    def of(run: Run) -> Value:
        known = [quantity.of(run.metrics) for quantity in quantities] if isinstance(run, RecordedRun) else [None]
        printed = between.join(text.NOTHING if value is None else format(value, form) for value in known)
        return Value(printed, apart=run.name.seed == odd)

    return of


def apart(row: Row, quantity: Quantity) -> int | None:
    """The seed whose value stands apart from those of the others that count, if one does."""
    known = [(run.name.seed, value) for run in row.done if (value := quantity.of(run.metrics)) is not None]
    least = POINTS if quantity is q.FINAL else SHARE * (row.summary(quantity).mean or 0.0)
    index = outlier([value for _, value in known], least)
    return None if index is None else known[index][0]
