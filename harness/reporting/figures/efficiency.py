"""Figures of one pair: accuracy against cost, in seconds or in operations, and the front of what no method beats."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.reporting import front, names, speed, units
from harness.reporting.figures import naming, plot
from harness.reporting.figures.canvas import TEXT_WIDTH, Key, panels, side_by_side
from harness.reporting.figures.look import Look, leading
from harness.reporting.front import Point
from harness.reporting.quantities import OPERATIONS
from harness.reporting.rows import Row, metric
from harness.store.layout import scale_text

FRONT: dict[str, Any] = {"color": "#222222", "linewidth": 0.9, "zorder": 1, "label": "Pareto front"}
FLOOR: dict[str, Any] = {"color": "#999999", "linewidth": 0.8, "linestyle": (0, (1, 2)), "zorder": 0}
RING: dict[str, Any] = {"markeredgecolor": "#222222", "markeredgewidth": 1.1, "zorder": 4}
"""Round the marks on the front."""


def efficiency(
    rows: Sequence[Row], styles: dict[str, Look], overloaded: bool = False, width: float = TEXT_WIDTH
) -> Figure | None:
    """Accuracy against end-to-end cost; the front leaves out overloaded machines unless they are asked for."""
    points = front.points(rows, speed.cost(rows))
    unit = units.cost([point.row for point in points])
    busy = [] if overloaded else speed.overloaded(rows, rows)
    return _figure(points, unit, f"end-to-end cost ({unit.name})", styles, busy, width)


def operations(rows: Sequence[Row], styles: dict[str, Look], width: float = TEXT_WIDTH) -> Figure | None:
    """Accuracy against counted operations, which no other process changes."""
    points = front.points(rows, OPERATIONS)
    unit = units.work([point.row for point in points])
    return _figure(points, unit, f"operations ({unit.name})", styles, [], width)


def _figure(
    points: Sequence[Point], unit: units.Unit, title: str, styles: dict[str, Look], busy: Sequence[Row], width: float
) -> Figure | None:
    """A panel per scale: a point per label with its range over the seeds both ways, and the front of the methods."""
    if not points:
        return None
    rows = [point.row for point in points]
    own, scales = leading(rows, styles), sorted({row.scale for row in rows}, reverse=True)
    by_scale = {scale: [point for point in points if point.row.scale == scale] for scale in scales}
    fronts = {scale: on_front(here, busy) for scale, here in by_scale.items()}
    line = [Line2D([], [], **FRONT)] if any(fronts.values()) else []
    signs = [*line, Line2D([], [], **FLOOR, label=floor_name(rows)), *plot.overloaded(busy)]
    abreast = plot.abreast(rows)
    figure, axes = panels(len(scales), plot.NAMED, Key(signs, width), abreast)
    for panel, scale in zip(axes, scales, strict=True):
        here = by_scale[scale]
        looks = {point.row.label: replace(own[point.row.label], hollow=point.row in busy) for point in here}
        _panel(panel, here, fronts[scale], unit, looks)
        panel.set_title(f"{scale_text(scale)} % data", loc="left")
        panel.set_xlabel(title)
    for first in axes[:: side_by_side(len(scales), width, abreast)]:
        first.set_ylabel(metric(rows))
    return figure


def _panel(axes: Axes, here: Sequence[Point], best: Sequence[Point], unit: units.Unit, looks: dict[str, Look]) -> None:
    rows = [point.row for point in here]
    floor = front.floor(rows)
    _draw_front(axes, best, unit)
    for point in here:
        _draw(axes, point, unit, looks[point.row.label].line | (RING if point in best else {"zorder": 3}))
    # The floor widens no axis: far below all points it would press these together, and is written above the panel.
    plot.clip(axes, rows, looks, floor if floor == front.luck(rows) else None)
    axes.set_ylim(axes.get_ylim())
    axes.axhline(floor, **FLOOR)
    plot.log(axes.xaxis)
    points = ((looks[point.row.label], point.cost.scaled(1 / unit.size), point.accuracy) for point in here)
    naming.beside(axes, plot.named(points), list(itertools.pairwise(_corners(best, unit))))


def on_front(here: Sequence[Point], busy: Sequence[Row]) -> list[Point]:
    """The front at one scale, without the rows ``busy``."""
    floor = front.floor([point.row for point in here])
    return front.front([point for point in here if point.row not in busy], floor)


def floor_name(rows: Sequence[Row]) -> str:
    """What the floor of a front is called."""
    return f"chance or {names.label(front.NOISE)}" if any(row.method == front.NOISE for row in rows) else "chance"


def _draw_front(axes: Axes, best: Sequence[Point], unit: units.Unit) -> None:
    """Draw the front as the best accuracy within a given cost."""
    corners = _corners(best, unit)
    axes.plot([x for x, _ in corners], [y for _, y in corners], **FRONT)


def _corners(best: Sequence[Point], unit: units.Unit) -> list[tuple[float, float]]:
    """The points of the front, and before each the corner at its cost and at the accuracy of the one before."""
    at = [((point.cost.mean or 0.0) / unit.size, point.accuracy.mean or 0.0) for point in best]
    steps = [((x, before), (x, y)) for (_, before), (x, y) in itertools.pairwise(at)]
    return [*at[:1], *(corner for step in steps for corner in step)]


def _draw(axes: Axes, point: Point, unit: units.Unit, style: dict[str, Any]) -> None:
    cost = point.cost.scaled(1 / unit.size)
    across, along = ([[length] for length in plot.bars(summary)] for summary in (cost, point.accuracy))
    single = style | {"linestyle": "", "elinewidth": 0.7}
    axes.errorbar(cost.mean or 0.0, point.accuracy.mean or 0.0, along, across, **single)
