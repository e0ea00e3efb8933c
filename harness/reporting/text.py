"""Numbers, units and names as they are printed."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting.stats import Summary
from harness.store.records import Attempt

METRICS = {"top1": "top-1 (%)", "miou": "mIoU (%)"}
"""A metric's name in the records -> as printed."""

NOTHING = "–"
NO_REASON = "no reason recorded"

SHA_DIGITS = 12
"""How much of a hash is printed; the csv tables hold all of it."""


@dataclass(frozen=True)
class Unit:
    """A unit of time and how many seconds it has."""

    name: str
    seconds: float


UNITS = (Unit("h", 3600.0), Unit("min", 60.0), Unit("s", 1.0))


def unit(seconds: Sequence[float]) -> Unit:
    """The largest unit of which the median of ``seconds`` holds two; seconds where none does."""
    middle = statistics.median(seconds) if seconds else 0.0
    return next((unit for unit in UNITS if middle >= 2 * unit.seconds), UNITS[-1])


def metric(name: str) -> str:
    """Name and unit of a metric as printed."""
    return METRICS.get(name, f"{name} (%)")


def percent(summary: Summary) -> str:
    """``90.12 ± 0.34``; without the second part for a single seed."""
    if summary.mean is None:
        return NOTHING
    return f"{summary.mean:.2f}" if summary.sd is None else f"{summary.mean:.2f} ± {summary.sd:.2f}"


def values(percents: Sequence[float]) -> str:
    """``94.50``, or ``94.50 / 94.87`` where there are several."""
    return " / ".join(f"{value:.2f}" for value in percents) or NOTHING


def difference(summary: Summary) -> str:
    """``+1.20 ± 0.34``; without the second part for a single seed."""
    if summary.mean is None:
        return NOTHING
    return signed(summary.mean) if summary.sd is None else f"{signed(summary.mean)} ± {summary.sd:.2f}"


def signed(value: float) -> str:
    """``+1.20``, with a minus as wide as the plus."""
    return f"{value:+.2f}".replace("-", "−")


def share(summary: Summary) -> str:
    """`` (2/3)`` where seeds are missing, else nothing."""
    return "" if summary.complete else f" ({summary.n}/{summary.expected})"


def sha(full: str) -> str:
    """The first digits of a hash."""
    return full[:SHA_DIGITS]


def commit(attempts: Sequence[Attempt]) -> str:
    """Commit of the last attempt: ``unknown``, or its first digits, with ``+`` for uncommitted changes."""
    last = attempts[-1] if attempts else None
    if last is None or last.commit is None:
        return "unknown"
    return sha(last.commit) + ("+" if last.dirty else "")


def number(value: float) -> str:
    """Two or three significant digits, at most three after the point."""
    if value == 0:
        return "0"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 3
    return f"{value:.{digits}f}"


def short(value: float) -> str:
    """A number at a tick: ``5``, ``1297``, ``50k``."""
    return f"{value / 1000:g}k" if value >= 1000 and value % 100 == 0 else f"{value:g}"


def letters(index: int) -> str:
    """Footnote marks: a, b, ..., z, aa, ab, ..."""
    before, last = divmod(index, 26)
    return (letters(before - 1) if before else "") + chr(ord("a") + last)
