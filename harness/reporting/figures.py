"""Figures of one teacher-student pair: accuracy and time against data scale, efficiency, learning curves.

Each function takes the cells of one pair and returns None where there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.reporting import layout, plot, text
from harness.reporting.cells import Cell, labels
from harness.reporting.look import COLUMN_WIDTH, TEXT_WIDTH, Look, key, panels
from harness.reporting.stats import pareto

TEACHER: dict[str, Any] = {
    "color": "#999999",
    "linewidth": 0.8,
    "linestyle": (0, (1, 2)),
    "zorder": 0,
    "label": "teacher",
}
FRONT: dict[str, Any] = {"color": "#222222", "linewidth": 0.9, "zorder": 1, "label": "Pareto front"}
SIZES = (3.0, 7.5)
"""Markers of the smallest and of the largest data scale, in points."""
BAND = 0.12
"""Opacity of the bands of learning curves."""
MANY = 8
"""With more labels than this a figure takes both columns of a page."""


def scale(cells: Sequence[Cell], styles: dict[str, Look]) -> Figure | None:
    """Accuracy and end-to-end time, mean ± sample standard deviation, against the data scale.

    With a single scale there is nothing to draw a line through: the labels take the place of the scales.
    """
    done = plot.done(cells)
    if not done:
        return None
    unit = plot.unit(done)
    several = len({cell.scale for cell in done}) > 1
    names = labels(done)
    below = key(styles, names if several else (), TEXT_WIDTH, [Line2D([], [], **TEACHER)])
    figure, axes = panels(2, 2.1 if several else 0.19 * len(names) + 0.3, below)
    measures: tuple[plot.Measure, plot.Measure] = (
        lambda cell: cell.summary("final"),
        lambda cell: cell.summary("end_to_end").scaled(1 / unit.seconds),
    )
    for panel, measure, title in zip(axes, measures, (layout.metric(done), plot.time(unit)), strict=True):
        if several:
            plot.series(panel, done, "scale", measure, styles)
            plot.ticks(panel, done, "scale", "data scale (%)")
            panel.set_ylabel(title)
        else:
            plot.rows(panel, done, measure, styles)
            panel.set_xlabel(title)
    (axes[0].axhline if several else axes[0].axvline)(done[0].done[0]["teacher_metric"], **TEACHER)
    if several:
        plot.clip(axes[0], done)
    else:
        plot.share_labels(figure, axes, names)
    plot.log(axes[1].yaxis if several else axes[1].xaxis)
    return figure


def efficiency(cells: Sequence[Cell], styles: dict[str, Look]) -> Figure | None:
    """Accuracy against end-to-end time: a point per label and scale, and the Pareto front of the methods."""
    done = plot.done(cells)
    if not done:
        return None
    unit = plot.unit(done)
    scales = sorted({cell.scale for cell in done})
    size = {s: SIZES[0] + (SIZES[1] - SIZES[0]) * (i + 1) / len(scales) for i, s in enumerate(scales)}
    sizes = [
        Line2D([], [], marker="o", ls="", mfc="w", mec="#666666", ms=size[s], label=f"{s:g} % data") for s in scales
    ]
    width, height = (TEXT_WIDTH, 3.2) if len(labels(done)) > MANY else (COLUMN_WIDTH, 2.3)
    figure, (axes,) = panels(1, height, key(styles, labels(done), width, [Line2D([], [], **FRONT), *sizes]))
    front = _draw_front(axes, [cell for cell in done if not cell.reference], unit)
    for name in labels(done):
        series = sorted((cell for cell in done if cell.label == name), key=lambda cell: cell.scale)
        look = styles[name]
        axes.plot(*_points(series, unit), color=look.colour, linestyle=look.dash, linewidth=0.7, alpha=0.6)
        for cell in series:
            face = look.colour if cell.name in front else "white"
            point: dict[str, Any] = {
                "marker": look.marker,
                "ms": size[cell.scale],
                "mec": look.colour,
                "mfc": face,
                "zorder": 3,
            }
            axes.plot(*_points([cell], unit), **point)
    axes.set_xlabel(plot.time(unit))
    axes.set_ylabel(layout.metric(done))
    plot.clip(axes, done)
    plot.log(axes.xaxis)
    return figure


def learning(cells: Sequence[Cell], events: pd.DataFrame, styles: dict[str, Look]) -> Figure | None:
    """Accuracy over end-to-end time while learning: mean over the seeds, their range as a band; a panel per scale.

    The marker of a label stands at the end of its curve.

    Args:
        events: the evaluations of these cells' runs that are done, from ``frame.curves``.
    """
    done = plot.done(cells)
    if not done or events.empty:
        return None
    unit = plot.unit(done)
    scales = sorted({cell.scale for cell in done}, reverse=True)
    width = TEXT_WIDTH if len(scales) > 1 or len(labels(done)) > MANY else COLUMN_WIDTH
    figure, axes = panels(len(scales), 1.7, key(styles, labels(done), width))
    epochs = events.groupby(["label", "scale", "epoch"])
    mean = epochs[["end_to_end", "metric"]].mean()
    means = mean.assign(low=epochs["metric"].min(), high=epochs["metric"].max())
    curves = dict(list(means.groupby(level=["label", "scale"])))
    for panel, at in zip(axes, scales, strict=True):
        panel.set_title(f"{at:g} % data", loc="left")
        panel.set_xlabel(plot.time(unit))
        for cell in done:
            if cell.scale == at and (cell.label, at) in curves:
                _curve(panel, curves[cell.label, at], unit, styles[cell.label])
        plot.log(panel.xaxis)
    for panel in axes[::3]:
        panel.set_ylabel(layout.metric(done))
    return figure


def _draw_front(axes: Axes, cells: Sequence[Cell], unit: text.Unit) -> set[str]:
    """Draw the front as the best accuracy within a given time. Returns the names of the cells on it."""
    times, values = _points(cells, unit)
    front = pareto(times, values)
    axes.step([times[i] for i in front], [values[i] for i in front], where="post", **FRONT)
    return {cells[i].name for i in front}


def _points(cells: Sequence[Cell], unit: text.Unit) -> tuple[list[float], list[float]]:
    times = [plot.mean(cell, "end_to_end") / unit.seconds for cell in cells]
    return times, [plot.mean(cell, "final") for cell in cells]


def _curve(axes: Axes, curve: pd.DataFrame, unit: text.Unit, look: Look) -> None:
    """``curve`` has a row per epoch; seeds are averaged epoch by epoch, times as well as values."""
    times = curve["end_to_end"] / unit.seconds
    axes.fill_between(times, curve["low"], curve["high"], color=look.colour, alpha=BAND, linewidth=0)
    axes.plot(times, curve["metric"], markevery=[-1], **look.line)
