"""What cost is printed in: whose seconds, and units of a size that numbers can be read in."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.reporting.quantities import COST, OPERATIONS, WALL, Quantity
from harness.reporting.rows import Row


@dataclass(frozen=True)
class Unit:
    """A unit, and how many seconds or operations it has."""

    name: str
    size: float


HOUR = Unit("h", 3600.0)
TIME = (HOUR, Unit("min", 60.0), Unit("s", 1.0))
WORK = (Unit("PFLOP", 1e15), Unit("TFLOP", 1e12), Unit("GFLOP", 1e9), Unit("MFLOP", 1e6))


def fitting(values: Sequence[float], units: Sequence[Unit]) -> Unit:
    """The largest of the units of which the median of ``values`` holds two; the smallest where none does."""
    middle = statistics.median(values) if values else 0.0
    return next((unit for unit in units if middle >= 2 * unit.size), units[-1])


def clock(rows: Sequence[Row]) -> str:
    """Whose seconds the headline counts: ``CPU`` or ``GPU``; plain ``cost`` where the rows mix them."""
    devices = {run.metrics.device == "cpu" for row in rows for run in row.done}
    return "cost" if len(devices) > 1 else "GPU" if devices == {False} else "CPU"


def cost(rows: Sequence[Row], unit: Unit | None = None) -> Unit:
    """What the headline of these rows is printed in, such as ``CPU min``; of one size if ``unit`` is given."""
    return _named(clock(rows), unit or fitting(_means(rows, COST), TIME))


def wall(rows: Sequence[Row], unit: Unit | None = None) -> Unit:
    """What seconds on the wall are printed in, such as ``wall min``."""
    return _named("wall", unit or fitting(_means(rows, WALL), TIME))


def work(rows: Sequence[Row]) -> Unit:
    """What operations are printed in, such as ``TFLOP``."""
    return fitting(_means(rows, OPERATIONS), WORK)


def _means(rows: Sequence[Row], quantity: Quantity) -> list[float]:
    return [mean for row in rows if (mean := row.summary(quantity).mean) is not None]


def _named(whose: str, unit: Unit) -> Unit:
    return replace(unit, name=f"{whose} {unit.name}")
