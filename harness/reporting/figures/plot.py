"""What the figures of accuracy and time share: series of rows, axes, and what is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from harness.reporting import text
from harness.reporting.figures.canvas import LETTER
from harness.reporting.figures.look import Look
from harness.reporting.quantities import FINAL, Quantity
from harness.reporting.rows import Row, labels
from harness.reporting.stats import Summary

Measure = Callable[[Row], Summary]
"""What a panel shows of a row; rows without a mean are left out."""

Shown = Sequence[tuple[Measure, str]]
"""What each panel of a figure shows, and what is written at it."""


def done(rows: Sequence[Row]) -> list[Row]:
    """The rows with at least one seed that counts."""
    return [row for row in rows if row.summary(FINAL).mean is not None]


def mean(row: Row, quantity: Quantity) -> float:
    """The mean of a quantity over the seeds of a row that is done."""
    value = row.summary(quantity).mean
    assert value is not None, f"{row.name} has no {quantity.name}"
    return value


def bars(summary: Summary) -> tuple[float, float]:
    """How far the seeds reach below and above their mean: in figures bars are ranges."""
    middle = summary.mean or 0.0
    return middle - (summary.low or 0.0), (summary.high or 0.0) - middle


def series(
    axes: Axes, rows: Sequence[Row], place: Quantity, measure: Measure, styles: dict[str, Look], **more: Any
) -> None:
    """A line per label along another quantity: the mean, and a bar from the lowest to the highest seed."""
    for name in labels(rows):
        line = sorted((row for row in rows if row.label == name), key=lambda row: mean(row, place))
        known = [(mean(row, place), found.mean, *bars(found)) for row in line if (found := measure(row)).n]
        # The reshape keeps four columns where nothing is known: the label is then drawn without points.
        at, middle, *reach = np.array(known).reshape(-1, 4).T
        axes.errorbar(at, middle, reach, **{"elinewidth": 0.7, **styles[name].line, **more})


def ticks(axes: Axes, rows: Sequence[Row], place: Quantity, title: str) -> None:
    """A logarithmic horizontal axis with a tick at each place of a row."""
    axes.set_xscale("log")
    axes.set_xlabel(title)
    places = sorted({mean(row, place) for row in rows})
    axes.set_xticks(places, [text.tick(at) for at in places])
    axes.xaxis.set_minor_locator(NullLocator())


def by_label(axes: Axes, rows: Sequence[Row], measure: Measure, styles: dict[str, Look]) -> None:
    """A point per label, one label below the other, in place of lines where there is a single scale."""
    names = labels(rows)
    for row in rows:
        summary = measure(row)
        if summary.mean is not None:
            point = styles[row.label].line | {"linestyle": ""}
            reach = [[length] for length in bars(summary)]
            axes.errorbar(summary.mean, names.index(row.label), xerr=reach, elinewidth=1.0, **point)
    axes.set_yticks(range(len(names)), [styles[name].title for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)


def height_by_label(names: Sequence[str]) -> float:
    """Inches that a panel takes with one label below the other."""
    return 0.19 * len(names) + 0.3


def overloaded(rows: Sequence[Row]) -> list[Line2D]:
    """What a legend says of the rows of which a seed ran on an overloaded machine; empty without such rows."""
    sign = Line2D([], [], color="#666666", marker="o", ls="", mfc="white", label="machine overloaded")
    return [sign] if any(row.overloaded for row in rows) else []


def hollow(
    axes: Axes, rows: Sequence[Row], place: Callable[[Row], tuple[float, float]], styles: dict[str, Look]
) -> None:
    """Hollow marks for the rows of which a seed ran on an overloaded machine."""
    for row in rows:
        if row.overloaded:
            axes.plot(*place(row), **replace(styles[row.label], hollow=True).line | {"linestyle": "", "zorder": 4})


def share_labels(figure: Figure, axes: Sequence[Axes], titles: Sequence[str]) -> None:
    """Labels one below the other stand at the left panel only, with room for the longest."""
    for panel in axes[1:]:
        panel.tick_params(axis="y", labelleft=False)
    longest = max(map(len, titles))
    figure.subplots_adjust(left=(0.2 + LETTER * longest) / figure.get_figwidth(), wspace=0.1)


def clip(axes: Axes, rows: Sequence[Row], styles: dict[str, Look]) -> None:
    """Cut references that lie so far below the methods that these could not be told apart; say which and where."""
    methods = [mean(row, FINAL) for row in rows if not row.reference]
    low, high = min(methods, default=0.0), max(mean(row, FINAL) for row in rows)
    limit = low - 0.5 * (high - low)
    values = {name: [mean(row, FINAL) for row in rows if row.label == name] for name in labels(rows)}
    cut = {name: own for name, own in values.items() if min(own) < limit}
    if not methods or not cut:
        return
    axes.set_ylim(bottom=low - 0.12 * (high - low))
    below = ", ".join(f"{styles[name].title} {_range(own)}" for name, own in cut.items())
    axes.text(1, 1.02, f"below: {below}", transform=axes.transAxes, ha="right", color="#666666", fontsize=6.5)


def log(axis: Axis) -> None:
    """A logarithmic axis with plain numbers; between the decades only where these alone would be too few."""
    (axis.axes.set_xscale if isinstance(axis, XAxis) else axis.axes.set_yscale)("log")
    low, high = axis.get_view_interval()
    subs = (1.0,) if high / low > 100 else (1.0, 3.0) if high / low > 12 else (1.0, 2.0, 3.0, 5.0, 7.0)
    # Within a factor of three its own ticks would be too few, or run into one another.
    axis.set_major_locator(LogLocator(subs=subs) if high / low > 3 else MaxNLocator(4, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())


def _range(values: Sequence[float]) -> str:
    return "–".join(dict.fromkeys(f"{value:.0f}" for value in (min(values), max(values))))
