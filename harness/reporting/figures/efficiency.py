"""Figures of one pair: accuracy against cost, in seconds or in operations, and the front of what no method beats."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.reporting import front, names, units
from harness.reporting.figures import plot
from harness.reporting.figures.canvas import ABREAST, COLUMN_WIDTH, TEXT_WIDTH, key, panels
from harness.reporting.figures.look import Look
from harness.reporting.front import Point
from harness.reporting.quantities import COST, OPERATIONS
from harness.reporting.rows import Row, labels, metric
from harness.store.layout import scale_text

FRONT: dict[str, Any] = {"color": "#222222", "linewidth": 0.9, "zorder": 1, "label": "Pareto front"}
FLOOR: dict[str, Any] = {"color": "#999999", "linewidth": 0.8, "linestyle": (0, (1, 2)), "zorder": 0}
RING: dict[str, Any] = {"markeredgecolor": "#222222", "markeredgewidth": 1.1, "zorder": 4}
"""Round the marks on the front."""
MANY = 8
"""With more labels than this the figure takes both columns of a page."""


def efficiency(rows: Sequence[Row], styles: dict[str, Look], overloaded: bool = False) -> Figure | None:
    """Accuracy against end-to-end cost; the front leaves out overloaded machines unless they are asked for."""
    points = front.points(rows, COST)
    unit = units.cost([point.row for point in points])
    busy = [] if overloaded else [point.row for point in points if point.row.overloaded]
    return _figure(points, unit, f"end-to-end cost ({unit.name})", styles, busy)


def operations(rows: Sequence[Row], styles: dict[str, Look]) -> Figure | None:
    """Accuracy against counted operations, which no other process changes."""
    points = front.points(rows, OPERATIONS)
    unit = units.work([point.row for point in points])
    return _figure(points, unit, f"operations ({unit.name})", styles, [])


def _figure(
    points: Sequence[Point], unit: units.Unit, title: str, styles: dict[str, Look], busy: Sequence[Row]
) -> Figure | None:
    """A panel per scale: a point per label with its range over the seeds both ways, and the front of the methods."""
    if not points:
        return None
    rows = [point.row for point in points]
    there, scales, chance = labels(rows), sorted({row.scale for row in rows}, reverse=True), front.chance(rows)
    width = TEXT_WIDTH if len(scales) > 1 or len(there) > MANY else COLUMN_WIDTH
    fronts = {scale: _front([point for point in points if point.row.scale == scale], busy, chance) for scale in scales}
    line = [Line2D([], [], **FRONT)] if any(fronts.values()) else []
    signs = [*line, Line2D([], [], **FLOOR, label=_floor_name(rows)), *plot.overloaded(busy)]
    figure, axes = panels(len(scales), 2.0, key(styles, there, width, signs))
    for panel, scale in zip(axes, scales, strict=True):
        here = [point for point in points if point.row.scale == scale]
        floor, best = front.floor([point.row for point in here], chance), fronts[scale]
        _draw_front(panel, best, unit)
        for point in here:
            look = replace(styles[point.row.label], hollow=point.row in busy)
            _draw(panel, point, unit, look.line | (RING if point in best else {"zorder": 3}))
        panel.set_title(f"{scale_text(scale)} % data", loc="left")
        panel.set_xlabel(title)
        plot.clip(panel, [point.row for point in here], styles)
        # It widens no axis: far below all points it says nothing.
        panel.set_ylim(panel.get_ylim())
        panel.axhline(floor, **FLOOR)
        plot.log(panel.xaxis)
    for first in axes[::ABREAST]:
        first.set_ylabel(metric(rows))
    return figure


def _front(here: Sequence[Point], busy: Sequence[Row], chance: float) -> list[Point]:
    """The front at one scale."""
    floor = front.floor([point.row for point in here], chance)
    return front.front([point for point in here if point.row not in busy], floor)


def _floor_name(rows: Sequence[Row]) -> str:
    return f"chance or {names.label(front.NOISE)}" if any(row.method == front.NOISE for row in rows) else "chance"


def _draw_front(axes: Axes, best: Sequence[Point], unit: units.Unit) -> None:
    """Draw the front as the best accuracy within a given cost."""
    at = [(point.cost.mean or 0.0) / unit.size for point in best]
    axes.step(at, [point.accuracy.mean or 0.0 for point in best], where="post", **FRONT)


def _draw(axes: Axes, point: Point, unit: units.Unit, style: dict[str, Any]) -> None:
    cost = point.cost.scaled(1 / unit.size)
    across, along = ([[length] for length in plot.bars(summary)] for summary in (cost, point.accuracy))
    single = style | {"linestyle": "", "elinewidth": 0.7}
    axes.errorbar(cost.mean or 0.0, point.accuracy.mean or 0.0, along, across, **single)
