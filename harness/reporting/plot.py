"""What the figures of accuracy and time share: series of cells, axes, and what is cut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis, XAxis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator

from harness.reporting import text
from harness.reporting.cells import Cell, labels
from harness.reporting.look import LETTER, Look
from harness.reporting.stats import Summary

Measure = Callable[[Cell], Summary]
"""What a panel shows of a cell; cells without a mean are left out."""


def done(cells: Sequence[Cell]) -> list[Cell]:
    """The cells with at least one seed that counts."""
    return [cell for cell in cells if cell.summary("final").mean is not None]


def mean(cell: Cell, column: str) -> float:
    """The mean of a column over the seeds of a cell that is done."""
    value = cell.summary(column).mean
    assert value is not None, f"{cell.name} has no {column}"
    return value


def unit(cells: Sequence[Cell]) -> text.Unit:
    """The unit of time for these cells."""
    return text.unit([mean(cell, "end_to_end") for cell in cells])


def time(unit: text.Unit) -> str:
    """Label of an axis."""
    return f"end-to-end time ({unit.name})"


def series(
    axes: Axes, cells: Sequence[Cell], place: str, measure: Measure, styles: dict[str, Look], **more: Any
) -> None:
    """A line per label, mean ± sample standard deviation, along a column of the frame."""
    for name in labels(cells):
        line = sorted((cell for cell in cells if cell.label == name), key=lambda cell: mean(cell, place))
        known = [(mean(cell, place), found.mean, found.sd or 0.0) for cell in line if (found := measure(cell)).n]
        axes.errorbar(*np.array(known).reshape(-1, 3).T, **{"elinewidth": 0.7, **styles[name].line, **more})


def ticks(axes: Axes, cells: Sequence[Cell], place: str, title: str) -> None:
    """A logarithmic horizontal axis with a tick at each place of a cell."""
    axes.set_xscale("log")
    axes.set_xlabel(title)
    places = sorted({mean(cell, place) for cell in cells})
    axes.set_xticks(places, [text.short(at) for at in places])
    axes.xaxis.set_minor_locator(NullLocator())


def rows(axes: Axes, cells: Sequence[Cell], measure: Measure, styles: dict[str, Look]) -> None:
    """A row per label, in place of lines where there is a single scale."""
    names = labels(cells)
    for cell in cells:
        summary = measure(cell)
        if summary.mean is not None:
            line = styles[cell.label].line | {"linestyle": ""}
            axes.errorbar(summary.mean, names.index(cell.label), xerr=summary.sd or 0.0, elinewidth=1.0, **line)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)


def share_labels(figure: Figure, axes: Sequence[Axes], names: Sequence[str]) -> None:
    """Labels of rows stand at the left panel only, with room for the longest."""
    for panel in axes[1:]:
        panel.tick_params(axis="y", labelleft=False)
    longest = max(len(name) for name in names)
    figure.subplots_adjust(left=(0.2 + LETTER * longest) / figure.get_figwidth(), wspace=0.1)


def clip(axes: Axes, cells: Sequence[Cell]) -> None:
    """Cut references that lie so far below the methods that these could not be told apart; say which and where."""
    methods = [mean(cell, "final") for cell in cells if not cell.reference]
    low, high = min(methods, default=0.0), max(mean(cell, "final") for cell in cells)
    limit = low - 0.5 * (high - low)
    cut = {name: [mean(cell, "final") for cell in cells if cell.label == name] for name in labels(cells)}
    cut = {name: values for name, values in cut.items() if min(values) < limit}
    if not methods or not cut:
        return
    axes.set_ylim(bottom=low - 0.12 * (high - low))
    below = ", ".join(f"{name} {_range(values)}" for name, values in cut.items())
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
