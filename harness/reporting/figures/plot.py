"""What the figures of accuracy and time share: series of rows, axes, and what is cut."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from harness.reporting import text
from harness.reporting.figures import naming
from harness.reporting.figures.canvas import ABREAST, LETTER, Key, Margins, panels, side_by_side
from harness.reporting.figures.look import MANY, Look
from harness.reporting.quantities import FINAL, Quantity
from harness.reporting.rows import Row, labels
from harness.reporting.stats import Summary

Measure = Callable[[Row], Summary]
"""What a panel shows of a row; rows without a mean are left out."""

NAMED = 2.5
"""Height of a panel in which every label is named at its point, in inches."""

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


def overloaded(rows: Sequence[Row]) -> list[Line2D]:
    """What a legend says of rows of which a seed ran on an overloaded machine (`speed.overloaded`); empty of none."""
    sign = Line2D([], [], color="#666666", marker="o", ls="", mfc="white", label="machine overloaded")
    return [sign] if rows else []


def hollow(
    axes: Axes, rows: Sequence[Row], place: Callable[[Row], tuple[float, float]], styles: dict[str, Look]
) -> None:
    """Hollow marks for rows of which a seed ran on an overloaded machine."""
    for row in rows:
        axes.plot(*place(row), **replace(styles[row.label], hollow=True).line | {"linestyle": "", "zorder": 4})


def label_panels(count: int, names: Sequence[str], styles: dict[str, Look], below: Key) -> tuple[Figure, list[Axes]]:
    """Panels of labels one below the other, which are named at the left panel only, with room for the longest."""
    room = Margins(left=0.2 + LETTER * max(len(styles[name].title) for name in names), between=0.18)
    figure, axes = panels(count, 0.19 * len(names) + 0.3, below, beside=room)
    columns = side_by_side(count, below.width)
    for place, panel in enumerate(axes):
        panel.tick_params(axis="y", labelleft=place % columns == 0)
    return figure, axes


def abreast(rows: Sequence[Row]) -> int:
    """How many panels stand side by side in which every label is named at its point."""
    return 2 if len(labels(rows)) > MANY else ABREAST


def named(points: Iterable[tuple[Look, Summary, Summary]]) -> list[naming.Named]:
    """What is written at points, given how far they reach across and along: the names of those that lead first."""
    ordered = sorted(points, key=lambda point: point[0].pale)
    return [naming.Named(x.mean or 0.0, y.mean or 0.0, look.title, look.ink, _ends(x, y)) for look, x, y in ordered]


def ends(axes: Axes, rows: Sequence[Row], place: Quantity, measure: Measure, styles: dict[str, Look]) -> None:
    """Name the labels at the ends of their lines, but for those that lie below the panel."""
    last = {row.label: row for row in sorted(rows, key=lambda row: mean(row, place)) if measure(row).n}
    found = [(mean(row, place), measure(row).mean or 0.0, styles[label]) for label, row in last.items()]
    bottom = axes.get_ylim()[0]
    naming.at_ends(axes, [naming.End(x, y, look.title, look.ink) for x, y, look in found if y >= bottom])


def beside_lines(names: Sequence[str], styles: dict[str, Look]) -> float:
    """Inches right of a panel that the names at the ends of its lines take."""
    return naming.width([styles[name].title for name in names]) + 0.15


def high_enough(names: Sequence[str], height: float) -> float:
    """Inches of a panel beside which all names find a line."""
    return max(height, naming.LINE * (len(names) + 1))


def clip(axes: Axes, rows: Sequence[Row], styles: dict[str, Look], luck: float | None = None) -> None:
    """Cut references that lie so far below the methods that these could not be told apart; say which and where.

    Args:
        luck: percent that guesses may reach, said too where it is below the panel.
    """
    methods = [mean(row, FINAL) for row in rows if not row.reference]
    low, high = min(methods, default=0.0), max(mean(row, FINAL) for row in rows)
    limit = low - 0.5 * (high - low)
    values = {name: [mean(row, FINAL) for row in rows if row.label == name] for name in labels(rows)}
    cut = {name: own for name, own in values.items() if min(own) < limit}
    if methods and cut:
        axes.set_ylim(bottom=low - 0.12 * (high - low))
    below = [f"{styles[name].title} {_range(own)}" for name, own in cut.items() if methods]
    if luck is not None and luck < axes.get_ylim()[0]:
        below.append(f"guesses reach {luck:.3g}")
    if below:
        said = f"below: {', '.join(below)}"
        axes.text(1, 1.02, said, transform=axes.transAxes, ha="right", color="#666666", fontsize=6.5)


def log(axis: Axis) -> None:
    """A logarithmic axis with plain numbers; between the decades only where these alone would be too few.

    It goes from a value to its double at least, so that equal costs look equal.
    """
    across = isinstance(axis, XAxis)
    (axis.axes.set_xscale if across else axis.axes.set_yscale)("log")
    low, high = axis.get_view_interval()
    if high < 2 * low:
        room = math.sqrt(2 * low / high)
        low, high = low / room, high * room
        (axis.axes.set_xlim if across else axis.axes.set_ylim)(low, high)
    subs = (1.0,) if high / low > 100 else (1.0, 3.0) if high / low > 12 else (1.0, 2.0, 3.0, 5.0, 7.0)
    # Within a factor of three its own ticks would be too few, or run into one another.
    axis.set_major_locator(LogLocator(subs=subs) if high / low > 3 else MaxNLocator(4, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())
    axis.set_minor_locator(NullLocator())


def _ends(x: Summary, y: Summary) -> tuple[float, float, float, float]:
    """Left, bottom, right and top."""
    return x.low or 0.0, y.low or 0.0, x.high or 0.0, y.high or 0.0


def _range(values: Sequence[float]) -> str:
    return "–".join(dict.fromkeys(f"{value:.0f}" for value in (min(values), max(values))))
