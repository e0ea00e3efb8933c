"""Figure of one pair: the student on N synthetic images against the student on N real ones (the paper's figure 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.reporting import layout, plot
from harness.reporting.cells import Cell, difference, labels
from harness.reporting.look import TEXT_WIDTH, Look, key, panels

ZERO: dict[str, Any] = {"color": "#222222", "linewidth": 0.8, "zorder": 1}
REAL: dict[str, Any] = {"linewidth": 2.4, "zorder": 1}
RENEWED = Line2D([], [], color="#666666", marker="o", ls="", mfc="white", label="more than N synthesised")


def against_real(cells: Sequence[Cell], styles: dict[str, Look]) -> Figure | None:
    """Accuracy against N, and its difference, paired by seed, to each reference that learns from N real images.

    Hollow marks: more than N images are synthesised in a run, because they are renewed or never kept.
    """
    done = plot.done(cells)
    real = [cell for cell in done if cell.sees_data]
    methods = [cell for cell in done if not cell.reference]
    if not real or not methods:
        return None
    shown = [*real, *methods]
    renewed = {cell.label for cell in methods if _renews(cell)}
    own = {label: replace(styles[label], hollow=label in renewed) for label in labels(shown)}
    several = len({cell.scale for cell in shown}) > 1
    names = labels(shown)
    below = key(own, names if several else (), TEXT_WIDTH, [RENEWED] if renewed else [])
    figure, axes = panels(1 + len(labels(real)), 2.4 if several else 0.19 * len(names) + 0.3, below)
    _draw(axes[0], shown, lambda cell: cell.summary("final"), own, layout.metric(shown), several)
    for panel, name in zip(axes[1:], labels(real), strict=True):
        measure = partial(difference, label=name, cells=real, column="final")
        (panel.axhline if several else panel.axvline)(0.0, **ZERO)
        _draw(panel, shown, measure, own, f"difference to {name} (points)", several)
    if not several:
        plot.share_labels(figure, axes, names)
    return figure


def _renews(cell: Cell) -> bool:
    return any((run["images_synthesised"] or 0) > run["images"] for run in cell.done)


def _draw(
    axes: Axes, cells: Sequence[Cell], measure: plot.Measure, styles: dict[str, Look], title: str, several: bool
) -> None:
    """A line per label along N, the real images' thick and behind; with a single N a row per label."""
    if several:
        plot.series(axes, [cell for cell in cells if cell.sees_data], "images", measure, styles, **REAL)
        plot.series(axes, [cell for cell in cells if not cell.sees_data], "images", measure, styles)
        plot.ticks(axes, cells, "images", "N, images")
        axes.set_title(title, loc="left")
    else:
        plot.rows(axes, cells, measure, styles)
        axes.set_xlabel(title)
