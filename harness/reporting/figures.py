"""Figures of one teacher-student pair: accuracy and time against data scale, efficiency, learning curves.

Each function takes the cells of one pair and returns None where there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from harness.reporting import text
from harness.reporting.cells import Cell, labels
from harness.reporting.look import COLUMN_WIDTH, LETTER, TEXT_WIDTH, Look, key, panels
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


def scale(cells: Sequence[Cell], styles: dict[str, Look]) -> Figure | None:
    """Accuracy and end-to-end time, mean ± sample standard deviation, against the data scale.

    With a single scale there is nothing to draw a line through: the labels take the place of the scales.
    """
    done = _done(cells)
    if not done:
        return None
    unit = _unit(done)
    several = len({cell.scale for cell in done}) > 1
    names = labels(done)
    below = key(styles, names if several else (), TEXT_WIDTH, [Line2D([], [], **TEACHER)])
    figure, axes = panels(2, 2.1 if several else 0.19 * len(names) + 0.3, below)
    for panel, column, factor, title in zip(
        axes, ("final", "end_to_end"), (1.0, unit.seconds), (_metric(done), _time(unit)), strict=True
    ):
        (_against_scale if several else _by_label)(panel, done, column, factor, styles)
        (panel.set_ylabel if several else panel.set_xlabel)(title)
    (axes[0].axhline if several else axes[0].axvline)(done[0].done[0]["teacher_metric"], **TEACHER)
    if several:
        _clip(axes[0], done)
    else:
        _share_labels(figure, axes, names)
    _log(axes[1].yaxis if several else axes[1].xaxis)
    return figure


def efficiency(cells: Sequence[Cell], styles: dict[str, Look]) -> Figure | None:
    """Accuracy against end-to-end time: a point per label and scale, and the Pareto front of the methods."""
    done = _done(cells)
    if not done:
        return None
    unit = _unit(done)
    scales = sorted({cell.scale for cell in done})
    size = {s: SIZES[0] + (SIZES[1] - SIZES[0]) * (i + 1) / len(scales) for i, s in enumerate(scales)}
    sizes = [
        Line2D([], [], marker="o", ls="", mfc="w", mec="#666666", ms=size[s], label=f"{s:g} % data") for s in scales
    ]
    below = key(styles, labels(done), COLUMN_WIDTH, [Line2D([], [], **FRONT), *sizes])
    figure, (axes,) = panels(1, 2.3, below)
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
    axes.set_xlabel(_time(unit))
    axes.set_ylabel(_metric(done))
    _clip(axes, done)
    _log(axes.xaxis)
    return figure


def learning(cells: Sequence[Cell], events: pd.DataFrame, styles: dict[str, Look]) -> Figure | None:
    """Accuracy over end-to-end time while learning: mean over the seeds, their range as a band; a panel per scale.

    Args:
        events: the evaluations of these cells' runs that are done, from ``frame.curves``.
    """
    done = _done(cells)
    if not done or events.empty:
        return None
    unit = _unit(done)
    scales = sorted({cell.scale for cell in done}, reverse=True)
    lines = {name: Look(look.colour, "", look.dash) for name, look in styles.items()}
    width = TEXT_WIDTH if len(scales) > 1 else COLUMN_WIDTH
    figure, axes = panels(len(scales), 1.7, key(lines, labels(done), width))
    epochs = events.groupby(["label", "scale", "epoch"])
    mean = epochs[["end_to_end", "metric"]].mean()
    means = mean.assign(low=epochs["metric"].min(), high=epochs["metric"].max())
    curves = dict(list(means.groupby(level=["label", "scale"])))
    for panel, at in zip(axes, scales, strict=True):
        panel.set_title(f"{at:g} % data", loc="left")
        panel.set_xlabel(_time(unit))
        for cell in done:
            if cell.scale == at and (cell.label, at) in curves:
                _curve(panel, curves[cell.label, at], unit, lines[cell.label])
        _log(panel.xaxis)
    for panel in axes[::3]:
        panel.set_ylabel(_metric(done))
    return figure


def _done(cells: Sequence[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.summary("final").mean is not None]


def _unit(cells: Sequence[Cell]) -> text.Unit:
    return text.unit([_mean(cell, "end_to_end") for cell in cells])


def _mean(cell: Cell, column: str) -> float:
    mean = cell.summary(column).mean
    assert mean is not None, f"{cell.name} has no {column}"
    return mean


def _metric(cells: Sequence[Cell]) -> str:
    return text.metric(cells[0].done[0]["metric"])


def _time(unit: text.Unit) -> str:
    return f"end-to-end time ({unit.name})"


def _against_scale(axes: Axes, cells: Sequence[Cell], column: str, factor: float, styles: dict[str, Look]) -> None:
    scales = sorted({cell.scale for cell in cells})
    for name in labels(cells):
        series = sorted((cell for cell in cells if cell.label == name), key=lambda cell: cell.scale)
        means = [_mean(cell, column) / factor for cell in series]
        spread = [(cell.summary(column).sd or 0.0) / factor for cell in series]
        axes.errorbar([cell.scale for cell in series], means, spread, elinewidth=0.7, **styles[name].line)
    axes.set_xscale("log")
    axes.set_xlabel("data scale (%)")
    axes.set_xticks(scales, [f"{scale:g}" for scale in scales])
    axes.xaxis.set_minor_locator(NullLocator())


def _by_label(axes: Axes, cells: Sequence[Cell], column: str, factor: float, styles: dict[str, Look]) -> None:
    for row, cell in enumerate(cells):
        summary = cell.summary(column)
        line = styles[cell.label].line | {"linestyle": ""}
        axes.errorbar(_mean(cell, column) / factor, row, xerr=(summary.sd or 0.0) / factor, elinewidth=1.0, **line)
    axes.set_yticks(range(len(cells)), [cell.label for cell in cells])
    axes.set_ylim(len(cells) - 0.4, -0.6)


def _share_labels(figure: Figure, axes: Sequence[Axes], names: Sequence[str]) -> None:
    """Labels stand at the left panel only, with room for the longest."""
    axes[1].tick_params(axis="y", labelleft=False)
    longest = max(len(name) for name in names)
    figure.subplots_adjust(left=(0.2 + LETTER * longest) / figure.get_figwidth(), wspace=0.1)


def _clip(axes: Axes, cells: Sequence[Cell]) -> None:
    """Cut references that lie so far below the methods that these could not be told apart; say which and where."""
    methods = [_mean(cell, "final") for cell in cells if not cell.reference]
    low, high = min(methods, default=0.0), max(_mean(cell, "final") for cell in cells)
    limit = low - 0.5 * (high - low)
    cut = {name: [_mean(cell, "final") for cell in cells if cell.label == name] for name in labels(cells)}
    cut = {name: values for name, values in cut.items() if min(values) < limit}
    if not methods or not cut:
        return
    axes.set_ylim(bottom=low - 0.12 * (high - low))
    below = ", ".join(f"{name} {_range(values)}" for name, values in cut.items())
    axes.text(1, 1.02, f"below: {below}", transform=axes.transAxes, ha="right", color="#666666", fontsize=6.5)


def _range(values: Sequence[float]) -> str:
    return "–".join(dict.fromkeys(f"{value:.0f}" for value in (min(values), max(values))))


def _draw_front(axes: Axes, cells: Sequence[Cell], unit: text.Unit) -> set[str]:
    """Draw the front as the best accuracy within a given time. Returns the names of the cells on it."""
    times, values = _points(cells, unit)
    front = pareto(times, values)
    axes.step([times[i] for i in front], [values[i] for i in front], where="post", **FRONT)
    return {cells[i].name for i in front}


def _points(cells: Sequence[Cell], unit: text.Unit) -> tuple[list[float], list[float]]:
    return [_mean(cell, "end_to_end") / unit.seconds for cell in cells], [_mean(cell, "final") for cell in cells]


def _curve(axes: Axes, curve: pd.DataFrame, unit: text.Unit, look: Look) -> None:
    """``curve`` has a row per epoch; seeds are averaged epoch by epoch, times as well as values."""
    times = curve["end_to_end"] / unit.seconds
    axes.fill_between(times, curve["low"], curve["high"], color=look.colour, alpha=0.15, linewidth=0)
    axes.plot(times, curve["metric"], color=look.colour, linestyle=look.dash)


def _log(axis: Axis) -> None:
    """A logarithmic axis with plain numbers; between the decades only where these alone would be too few."""
    (axis.axes.set_xscale if isinstance(axis, XAxis) else axis.axes.set_yscale)("log")
    low, high = axis.get_view_interval()
    subs = (1.0,) if high / low > 100 else (1.0, 3.0) if high / low > 12 else (1.0, 2.0, 3.0, 5.0, 7.0)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())
