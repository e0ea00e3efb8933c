"""What the figures of accuracy and time share: series of rows, axes, and what is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from harness.reporting import text
from harness.reporting.figures.canvas import LETTER
from harness.reporting.figures.look import Look
from harness.reporting.quantities import END_TO_END, FINAL, Quantity
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


def unit(rows: Sequence[Row]) -> text.Unit:
    """The unit of time for these rows."""
    return text.unit([mean(row, END_TO_END) for row in rows])


def time(unit: text.Unit) -> str:
    """Label of an axis."""
    return f"end-to-end time ({unit.name})"


def series(
    axes: Axes, rows: Sequence[Row], place: Quantity, measure: Measure, styles: dict[str, Look], **more: Any
) -> None:
    """A line per label, mean ± sample standard deviation, along another quantity."""
    for name in labels(rows):
        line = sorted((row for row in rows if row.label == name), key=lambda row: mean(row, place))
        known = [(mean(row, place), found.mean, found.sd or 0.0) for row in line if (found := measure(row)).n]
        # The reshape keeps three columns where nothing is known: the label is then drawn without points.
        axes.errorbar(*np.array(known).reshape(-1, 3).T, **{"elinewidth": 0.7, **styles[name].line, **more})


def ticks(axes: Axes, rows: Sequence[Row], place: Quantity, title: str) -> None:
    """A logarithmic horizontal axis with a tick at each place of a row."""
    axes.set_xscale("log")
    axes.set_xlabel(title)
    places = sorted({mean(row, place) for row in rows})
    axes.set_xticks(places, [text.short(at) for at in places])
    axes.xaxis.set_minor_locator(NullLocator())


def by_label(axes: Axes, rows: Sequence[Row], measure: Measure, styles: dict[str, Look]) -> None:
    """A point per label, one label below the other, in place of lines where there is a single scale."""
    names = labels(rows)
    for row in rows:
        summary = measure(row)
        if summary.mean is not None:
            point = styles[row.label].line | {"linestyle": ""}
            axes.errorbar(summary.mean, names.index(row.label), xerr=summary.sd or 0.0, elinewidth=1.0, **point)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)


def height_by_label(names: Sequence[str]) -> float:
    """Inches that a panel takes with one label below the other."""
    return 0.19 * len(names) + 0.3


def share_labels(figure: Figure, axes: Sequence[Axes], names: Sequence[str]) -> None:
    """Labels one below the other stand at the left panel only, with room for the longest."""
    for panel in axes[1:]:
        panel.tick_params(axis="y", labelleft=False)
    longest = max(len(name) for name in names)
    figure.subplots_adjust(left=(0.2 + LETTER * longest) / figure.get_figwidth(), wspace=0.1)


def clip(axes: Axes, rows: Sequence[Row]) -> None:
    """Cut references that lie so far below the methods that these could not be told apart; say which and where."""
    methods = [mean(row, FINAL) for row in rows if not row.reference]
    low, high = min(methods, default=0.0), max(mean(row, FINAL) for row in rows)
    limit = low - 0.5 * (high - low)
    values = {name: [mean(row, FINAL) for row in rows if row.label == name] for name in labels(rows)}
    cut = {name: own for name, own in values.items() if min(own) < limit}
    if not methods or not cut:
        return
    axes.set_ylim(bottom=low - 0.12 * (high - low))
    below = ", ".join(f"{name} {_range(own)}" for name, own in cut.items())
    axes.text(1, 1.02, f"below: {below}", transform=axes.transAxes, ha="right", color="#666666", fontsize=6.5)


def log(axis: Axis) -> None:
    """A logarithmic axis with plain numbers; between the decades only where these alone would be too few."""
    (axis.axes.set_xscale if isinstance(axis, XAxis) else axis.axes.set_yscale)("log")
    low, high = axis.get_view_interval()
    subs = (1.0,) if high / low > 100 else (1.0, 3.0) if high / low > 12 else (1.0, 2.0, 3.0, 5.0, 7.0)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())


def _range(values: Sequence[float]) -> str:
    return "–".join(dict.fromkeys(f"{value:.0f}" for value in (min(values), max(values))))
