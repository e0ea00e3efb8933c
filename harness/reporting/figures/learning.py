"""Figure of one pair: accuracy while learning, over end-to-end cost."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.reporting import speed, units
from harness.reporting.figures import naming, plot
from harness.reporting.figures.canvas import TEXT_WIDTH, Key, panels, side_by_side
from harness.reporting.figures.look import Look, leading
from harness.reporting.rows import Row, metric
from harness.reporting.runs import evaluations
from harness.reporting.stats import Summary, summarise
from harness.reporting.units import Unit
from harness.store.layout import scale_text

BAND = 0.12
"""Opacity of the band between the seeds."""

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


def learning(rows: Sequence[Row], styles: dict[str, Look], width: float = TEXT_WIDTH) -> Figure | None:
    """Accuracy over end-to-end cost while learning: mean over the seeds, their range as a band; a panel per scale.

    The marker of a label stands at the end of its curve; hollow if a machine was overloaded.
    """
    done = plot.done(rows)
    speeds, busy = speed.factors(done), speed.overloaded(done, done)
    curves = {row.name: found for row in done if (found := curve(row, speeds))}
    if not curves:
        return None
    unit = units.cost(done)
    scales = sorted({row.scale for row in done}, reverse=True)
    own, abreast = leading(done, styles), plot.abreast(done)
    figure, axes = panels(len(scales), plot.NAMED, Key(plot.overloaded(busy), width), abreast)
    for panel, at in zip(axes, scales, strict=True):
        here = [row for row in done if row.scale == at and row.name in curves]
        for row in here:
            _draw(panel, curves[row.name], unit, replace(own[row.label], hollow=row in busy))
        panel.set_title(f"{scale_text(at)} % data", loc="left")
        panel.set_xlabel(f"end-to-end cost ({unit.name})")
        plot.log(panel.xaxis)
        naming.beside(panel, plot.named((own[row.label], *_end(curves[row.name], unit)) for row in here))
    for first in axes[:: side_by_side(len(scales), width, abreast)]:
        first.set_ylabel(metric(done))
    return figure


def curve(row: Row, speeds: Mapping[str, float]) -> list[Epoch]:
    """The epochs of the row's runs that are done, averaged over those that reached them; empty where none is known.

    Args:
        speeds: `speed.factors` of the rows that share the picture.
    """
    # Seeds are averaged epoch by epoch, times as well as values: their clocks differ, their epochs do not.
    epochs: dict[int, list[Reached]] = {}
    for run in row.done:
        times = speeds.get(run.metrics.cell, 1.0)
        for event in evaluations(run.folder):
            reached = (times * event.cost(run.metrics.device).end_to_end, event.metric)
            epochs.setdefault(event.epoch, []).append(reached)
    return [_epoch(reached) for _, reached in sorted(epochs.items())]


def _epoch(reached: Sequence[Reached]) -> Epoch:
    costs, values = zip(*reached, strict=True)
    return Epoch(statistics.fmean(costs), statistics.fmean(values), min(values), max(values))


def _end(curve: Sequence[Epoch], unit: Unit) -> tuple[Summary, Summary]:
    """Where a curve ends, both ways."""
    return summarise([curve[-1].cost / unit.size], 1), summarise([curve[-1].mean], 1)


def _draw(axes: Axes, curve: Sequence[Epoch], unit: Unit, look: Look) -> None:
    times = [epoch.cost / unit.size for epoch in curve]
    low, high = [epoch.low for epoch in curve], [epoch.high for epoch in curve]
    if not look.pale:
        axes.fill_between(times, low, high, color=look.colour, alpha=BAND, linewidth=0)
    axes.plot(times, [epoch.mean for epoch in curve], markevery=[-1], **look.line)
