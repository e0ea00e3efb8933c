"""Figure of one pair: accuracy while learning, over end-to-end cost."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.reporting import units
from harness.reporting.figures import plot
from harness.reporting.figures.canvas import ABREAST, COLUMN_WIDTH, TEXT_WIDTH, key, panels
from harness.reporting.figures.look import Look
from harness.reporting.rows import Row, labels, metric
from harness.reporting.runs import evaluations
from harness.reporting.units import Unit
from harness.store.layout import scale_text

BAND = 0.12
"""Opacity of the band between the seeds."""
MANY = 8
"""With more labels than this the figure takes both columns of a page."""

Reached = tuple[float, float]
"""Cost in seconds, and percent, of one seed at one epoch."""


@dataclass(frozen=True)
class Epoch:
    """One epoch over the seeds that reached it."""

    cost: float
    """Seconds end to end, mean."""
    mean: float
    low: float
    high: float


def learning(rows: Sequence[Row], styles: dict[str, Look]) -> Figure | None:
    """Accuracy over end-to-end cost while learning: mean over the seeds, their range as a band; a panel per scale.

    The marker of a label stands at the end of its curve; hollow if a machine was overloaded.
    """
    done = plot.done(rows)
    curves = {row.name: found for row in done if (found := curve(row))}
    if not curves:
        return None
    unit = units.cost(done)
    scales = sorted({row.scale for row in done}, reverse=True)
    width = TEXT_WIDTH if len(scales) > 1 or len(labels(done)) > MANY else COLUMN_WIDTH
    figure, axes = panels(len(scales), 1.7, key(styles, labels(done), width, plot.overloaded(done)))
    for panel, at in zip(axes, scales, strict=True):
        for row in done:
            if row.scale == at and row.name in curves:
                _draw(panel, curves[row.name], unit, replace(styles[row.label], hollow=bool(row.overloaded)))
        panel.set_title(f"{scale_text(at)} % data", loc="left")
        panel.set_xlabel(f"end-to-end cost ({unit.name})")
        plot.log(panel.xaxis)
    for first in axes[::ABREAST]:
        first.set_ylabel(metric(done))
    return figure


def curve(row: Row) -> list[Epoch]:
    """The epochs of the row's runs that are done, averaged over those that reached them; empty where none is known."""
    # Seeds are averaged epoch by epoch, times as well as values: their clocks differ, their epochs do not.
    epochs: dict[int, list[Reached]] = {}
    for run in row.done:
        for event in evaluations(run.folder):
            reached = (event.cost(run.metrics.device).end_to_end, event.metric)
            epochs.setdefault(event.epoch, []).append(reached)
    return [_epoch(reached) for _, reached in sorted(epochs.items())]


def _epoch(reached: Sequence[Reached]) -> Epoch:
    costs, values = zip(*reached, strict=True)
    return Epoch(statistics.fmean(costs), statistics.fmean(values), min(values), max(values))


def _draw(axes: Axes, curve: Sequence[Epoch], unit: Unit, look: Look) -> None:
    times = [epoch.cost / unit.size for epoch in curve]
    low, high = [epoch.low for epoch in curve], [epoch.high for epoch in curve]
    axes.fill_between(times, low, high, color=look.colour, alpha=BAND, linewidth=0)
    axes.plot(times, [epoch.mean for epoch in curve], markevery=[-1], **look.line)
