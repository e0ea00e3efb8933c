"""Figure of one pair: accuracy and cost against the data scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.reporting import speed, units
from harness.reporting.figures import plot
from harness.reporting.figures.canvas import TEXT_WIDTH, Key, Margins, panels
from harness.reporting.figures.look import Look, leading
from harness.reporting.quantities import FINAL, SCALE
from harness.reporting.rows import Row, labels, metric

TEACHER: dict[str, Any] = {
    "color": "#999999",
    "linewidth": 0.8,
    "linestyle": (0, (1, 2)),
    "zorder": 0,
    "label": "teacher",
}


def scale(rows: Sequence[Row], styles: dict[str, Look], width: float = TEXT_WIDTH) -> Figure | None:
    """Accuracy and end-to-end cost against the data scale: means, and bars from the lowest to the highest seed.

    With a single scale there is nothing to draw a line through: the labels take the place of the scales. Where some
    labels have several and others one, the others are left out.
    """
    done = plot.done(rows)
    if not done:
        return None
    unit, cost = units.cost(done), speed.cost(done)
    shown: plot.Shown = (
        (lambda row: row.summary(FINAL), metric(done)),
        (lambda row: row.summary(cost).scaled(1 / unit.size), f"end-to-end cost ({unit.name})"),
    )
    busy = speed.overloaded(done, done)
    if len({row.scale for row in done}) == 1:
        return _by_label(done, shown, styles, busy, Key(_signs(done, busy), width))
    at = Counter(row.label for row in done)
    drawn = [row for row in done if at[row.label] > 1] or done
    busy = [row for row in drawn if row in busy]
    return _by_scale(drawn, shown, leading(drawn, styles), busy, Key(_signs(drawn, busy), width))


def _by_scale(
    done: Sequence[Row], shown: plot.Shown, styles: dict[str, Look], busy: Sequence[Row], below: Key
) -> Figure:
    names = labels(done)
    room = plot.beside_lines(names, styles)
    margins = Margins(right=room, between=room + 0.55)
    figure, axes = panels(2, plot.high_enough(names, 2.1), below, beside=margins)
    for panel, (measure, title) in zip(axes, shown, strict=True):
        plot.series(panel, done, SCALE, measure, styles)
        plot.ticks(panel, done, SCALE, "data scale (%)")
        panel.set_ylabel(title)
    axes[0].axhline(_teacher(done), **TEACHER)
    cost = shown[1][0]
    plot.hollow(axes[1], busy, lambda row: (row.scale, cost(row).mean or 0.0), styles)
    plot.clip(axes[0], done, styles)
    plot.log(axes[1].yaxis)
    for panel, (measure, _) in zip(axes, shown, strict=True):
        plot.ends(panel, done, SCALE, measure, styles)
    return figure


def _by_label(
    done: Sequence[Row], shown: plot.Shown, styles: dict[str, Look], busy: Sequence[Row], below: Key
) -> Figure:
    names = labels(done)
    figure, axes = plot.label_panels(2, names, styles, below)
    for panel, (measure, title) in zip(axes, shown, strict=True):
        plot.by_label(panel, done, measure, styles)
        panel.set_xlabel(title)
    axes[0].axvline(_teacher(done), **TEACHER)
    cost = shown[1][0]
    plot.hollow(axes[1], busy, lambda row: (cost(row).mean or 0.0, names.index(row.label)), styles)
    plot.log(axes[1].xaxis)
    return figure


def _signs(done: Sequence[Row], busy: Sequence[Row]) -> list[Line2D]:
    return [Line2D([], [], **TEACHER), *plot.overloaded(busy)]


def _teacher(done: Sequence[Row]) -> float:
    return done[0].done[0].metrics.teacher_metric
