"""Figure of one pair: accuracy against end-to-end time, and the front of what no other method beats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.reporting import text
from harness.reporting.figures import plot
from harness.reporting.figures.canvas import COLUMN_WIDTH, TEXT_WIDTH, key, panels
from harness.reporting.figures.look import Look
from harness.reporting.quantities import END_TO_END, FINAL
from harness.reporting.rows import Row, labels, metric
from harness.reporting.stats import pareto

FRONT: dict[str, Any] = {"color": "#222222", "linewidth": 0.9, "zorder": 1, "label": "Pareto front"}
SMALLEST, LARGEST = 3.0, 7.5
"""Markers of the smallest and of the largest data scale, in points."""
MANY = 8
"""With more labels than this the figure takes both columns of a page."""

Sizes = dict[float, float]
"""Data scale -> size of its markers."""


def efficiency(rows: Sequence[Row], styles: dict[str, Look]) -> Figure | None:
    """Accuracy against end-to-end time: a point per label and scale, and the Pareto front of the methods."""
    done = plot.done(rows)
    if not done:
        return None
    unit, sizes, names = plot.unit(done), _sizes(done), labels(done)
    width, height = (TEXT_WIDTH, 3.2) if len(names) > MANY else (COLUMN_WIDTH, 2.3)
    below = key(styles, names, width, [Line2D([], [], **FRONT), *_examples(sizes)])
    figure, (axes,) = panels(1, height, below)
    front = _draw_front(axes, [row for row in done if not row.reference], unit)
    for name in names:
        _draw_label(axes, [row for row in done if row.label == name], unit, styles[name], sizes, front)
    axes.set_xlabel(plot.time(unit))
    axes.set_ylabel(metric(done))
    plot.clip(axes, done)
    plot.log(axes.xaxis)
    return figure


def _sizes(done: Sequence[Row]) -> Sizes:
    scales = sorted({row.scale for row in done})
    return {at: SMALLEST + (LARGEST - SMALLEST) * (i + 1) / len(scales) for i, at in enumerate(scales)}


def _examples(sizes: Sizes) -> list[Line2D]:
    """What the sizes mean, for the legend."""
    look: dict[str, Any] = {"marker": "o", "ls": "", "mfc": "w", "mec": "#666666"}
    return [Line2D([], [], ms=size, label=f"{at:g} % data", **look) for at, size in sizes.items()]


def _draw_front(axes: Axes, rows: Sequence[Row], unit: text.Unit) -> set[str]:
    """Draw the front as the best accuracy within a given time. Returns the names of the rows on it."""
    times, values = _points(rows, unit)
    front = pareto(times, values)
    axes.step([times[i] for i in front], [values[i] for i in front], where="post", **FRONT)
    return {rows[i].name for i in front}


def _draw_label(axes: Axes, rows: Sequence[Row], unit: text.Unit, look: Look, sizes: Sizes, front: set[str]) -> None:
    series = sorted(rows, key=lambda row: row.scale)
    axes.plot(*_points(series, unit), color=look.colour, linestyle=look.dash, linewidth=0.7, alpha=0.6)
    for row in series:
        face = look.colour if row.name in front else "white"
        axes.plot(*_points([row], unit), marker=look.marker, ms=sizes[row.scale], mec=look.colour, mfc=face, zorder=3)


def _points(rows: Sequence[Row], unit: text.Unit) -> tuple[list[float], list[float]]:
    times = [plot.mean(row, END_TO_END) / unit.seconds for row in rows]
    return times, [plot.mean(row, FINAL) for row in rows]
