"""What the page draws itself, where a script may run: the figures' curves and points, with values to hover over."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.colors import to_hex

from harness.reporting import front, speed, units
from harness.reporting.figures import efficiency
from harness.reporting.figures.learning import Epoch, curve
from harness.reporting.figures.look import Look, leading
from harness.reporting.front import Point
from harness.reporting.rows import Row, metric
from harness.reporting.settings import Setting
from harness.reporting.stats import Summary
from harness.reporting.units import Unit

POINTS = 80
"""Costs at which a chart of curves has values: our choice, about one in ten pixels."""

Series = dict[str, Any]
"""Name, colour and values of a label, a value for each place on the horizontal axis; None where it has none."""
Chart = dict[str, Any]


def charts(setting: Setting, styles: Mapping[str, Look], overloaded: bool = False) -> dict[str, Chart]:
    """Name -> chart, as plain data: accuracy against cost, and while learning. Empty where nothing is done.

    Args:
        overloaded: whether the front takes in what ran on an overloaded machine.
    """
    done, among = [row for row in setting.rows if row.done], setting.part.rows
    unit, looks = units.cost(done), leading(done, dict(styles))
    busy = [] if overloaded else speed.overloaded(done, among)
    points = sorted(front.points(done, speed.cost(among)), key=lambda point: point.cost.mean or 0.0)
    speeds = speed.factors(among)
    curves = {row.label: curve(row, speeds) for row in done}
    found = {"efficiency": _efficiency(points, unit, looks, busy), "learning": _learning(curves, unit, styles)}
    axes = {"across": f"end-to-end cost ({unit.name})", "along": metric(done)}
    return {f"{name}/{setting.anchor}": {**axes, **chart} for name, chart in found.items() if chart}


def _efficiency(points: Sequence[Point], unit: Unit, styles: Mapping[str, Look], busy: Sequence[Row]) -> Chart | None:
    """A point per row with its range over the seeds both ways; the front, and the floor that it must exceed."""
    if not points:
        return None
    best, rows = efficiency.on_front(points, busy), [point.row for point in points]
    series = [
        _series(styles[point.row.label], [point.accuracy.mean if other is point else None for other in points])
        | _point(point, unit)
        | {"ringed": point in best, "hollow": point.row in busy, "pale": styles[point.row.label].pale}
        for point in points
    ]
    floor = {"name": efficiency.floor_name(rows), "value": round(front.floor(rows), 2)}
    across = [_short((point.cost.mean or 0.0) / unit.size) for point in points]
    return {"points": True, "x": across, "series": series, "floor": floor}


def _point(point: Point, unit: Unit) -> Series:
    """Lowest, mean and highest of what a point is of, across and along."""
    along = [round(value, 2) for value in _reach(point.accuracy)]
    return {"across": [_short(value) for value in _reach(point.cost.scaled(1 / unit.size))], "along": along}


def _reach(summary: Summary) -> list[float]:
    return [value or 0.0 for value in (summary.low, summary.mean, summary.high)]


def _learning(curves: Mapping[str, Sequence[Epoch]], unit: Unit, styles: Mapping[str, Look]) -> Chart | None:
    """A curve per label: what it had reached at each of the same costs."""
    curves = {label: found for label, found in curves.items() if found}
    costs = [epoch.cost / unit.size for found in curves.values() for epoch in found]
    if not costs or not min(costs) > 0:
        return None
    between = np.geomspace(min(costs), max(costs), POINTS)[:-1]
    places = list(dict.fromkeys([*(_short(float(cost)) for cost in between), max(costs)]))
    series = [_series(styles[label], _reached(found, places, unit)) for label, found in curves.items()]
    return {"points": False, "x": places, "series": series}


def _reached(found: Sequence[Epoch], places: Sequence[float], unit: Unit) -> list[float | None]:
    """The last evaluation's value at each cost: none before the first one, nor beyond the end of the run."""
    costs = [epoch.cost / unit.size for epoch in found]
    last = next((place for place in places if place >= costs[-1]), places[-1])
    counts = [bisect_right(costs, place) if place <= last else 0 for place in places]
    return [found[count - 1].mean if count else None for count in counts]


def _series(look: Look, values: Sequence[float | None]) -> Series:
    printed = [None if value is None else round(value, 2) for value in values]
    colours = {"colour": look.colour, "ink": to_hex(look.ink)}
    return {"name": look.title, **colours, "dashed": look.dash != "-", "values": printed}


def _short(value: float) -> float:
    return float(f"{value:.4g}")
