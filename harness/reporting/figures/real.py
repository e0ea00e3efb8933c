"""Figure of one pair: the student on N synthetic images against the student on N real ones (the paper's figure 1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.reporting.figures import plot
from harness.reporting.figures.canvas import TEXT_WIDTH, Key, Margins, panels, side_by_side
from harness.reporting.figures.look import Look, leading
from harness.reporting.quantities import FINAL, IMAGES
from harness.reporting.rows import Row, difference, labels, metric

ZERO: dict[str, Any] = {"color": "#222222", "linewidth": 0.8, "zorder": 1}
REAL: dict[str, Any] = {"linewidth": 2.4, "zorder": 1}
RENEWED = Line2D([], [], color="#666666", marker="o", ls="", mfc="white", label="more than N synthesised")


def against_real(rows: Sequence[Row], styles: dict[str, Look], width: float = TEXT_WIDTH) -> Figure | None:
    """Accuracy against N, and its difference, paired by seed, to each reference that learns from N real images.

    Hollow marks: more than N images are synthesised in a run, because they are renewed or never kept.
    """
    done = plot.done(rows)
    real = [row for row in done if row.sees_data]
    methods = [row for row in done if not row.reference]
    if not real or not methods:
        return None
    compared = [*real, *methods]
    renewed = {row.label for row in methods if _renews(row)}
    several = len({row.scale for row in compared}) > 1
    seen = leading(compared, styles) if several else styles
    own = {label: replace(seen[label], hollow=label in renewed) for label in labels(compared)}
    shown: plot.Shown = (
        (lambda row: row.summary(FINAL), metric(compared)),
        *(
            (partial(difference, label=name, rows=real, quantity=FINAL), f"difference to {styles[name].title} (points)")
            for name in labels(real)
        ),
    )
    below = Key([RENEWED] if renewed else [], width)
    return (_by_images if several else _by_label)(compared, shown, own, below)


def _renews(row: Row) -> bool:
    return any((run.metrics.images_synthesised or 0) > run.metrics.images for run in row.done)


def _by_images(rows: Sequence[Row], shown: plot.Shown, styles: dict[str, Look], below: Key) -> Figure:
    """A line per label along N, the real images' thick and behind; named at the last panel of a line of panels."""
    names = labels(rows)
    margins = Margins(right=plot.beside_lines(names, styles), between=0.4)
    figure, axes = panels(len(shown), plot.high_enough(names, 2.4), below, beside=margins)
    for panel in axes[1:]:
        panel.axhline(0.0, **ZERO)
    for panel, (measure, title) in zip(axes, shown, strict=True):
        plot.series(panel, [row for row in rows if row.sees_data], IMAGES, measure, styles, **REAL)
        plot.series(panel, [row for row in rows if not row.sees_data], IMAGES, measure, styles)
        plot.ticks(panel, rows, IMAGES, "N, images")
        panel.set_title(title, loc="left")
    columns = side_by_side(len(shown), below.width)
    for panel, (measure, _) in list(zip(axes, shown, strict=True))[columns - 1 :: columns]:
        plot.ends(panel, rows, IMAGES, measure, styles)
    return figure


def _by_label(rows: Sequence[Row], shown: plot.Shown, styles: dict[str, Look], below: Key) -> Figure:
    """With a single N, one label below the other."""
    figure, axes = plot.label_panels(len(shown), labels(rows), styles, below)
    for panel in axes[1:]:
        panel.axvline(0.0, **ZERO)
    for panel, (measure, title) in zip(axes, shown, strict=True):
        plot.by_label(panel, rows, measure, styles)
        panel.set_xlabel(title)
    return figure
