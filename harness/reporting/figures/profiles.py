"""Figure of a study at one data scale: performance profiles of cost and accuracy over its pairs."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness.reporting.figures import plot
from harness.reporting.figures.canvas import TEXT_WIDTH, Key, panels
from harness.reporting.figures.look import Look
from harness.reporting.profiles import Profile, Profiles

SHOWN = 8
"""Methods at most: more lines than that nobody follows. The csv of the table has all."""


def profiles(found: Profiles, styles: dict[str, Look], width: float = TEXT_WIDTH) -> Figure:
    """The share of pairs within a cost, and within an accuracy; of many methods those of the lowest mean ranks."""
    methods = found.methods[:SHOWN]
    named = [(styles[method.label].title, styles[method.label].line) for method in methods]
    figure, (cost, accuracy) = panels(
        2, 2.0, Key([Line2D([], [], label=title, **line) for title, line in named], width)
    )
    _steps(cost, methods, [method.ratios for method in methods], 1.0, styles)
    _steps(accuracy, methods, [method.gaps for method in methods], 0.0, styles)
    cost.set_xlabel("times the cheapest method's cost, at most")
    accuracy.set_xlabel("points below the most accurate method, at most")
    cost.set_ylabel("share of pairs")
    for panel, title in ((cost, "cost"), (accuracy, "accuracy")):
        panel.set_title(title, loc="left")
    plot.log(cost.xaxis)
    return figure


def _steps(
    axes: Axes, methods: Sequence[Profile], places: Sequence[Sequence[float]], start: float, styles: dict[str, Look]
) -> None:
    """A staircase per method, which goes up at every pair, from ``start`` to a little beyond the last pair of all."""
    end = max([place for own in places for place in own if math.isfinite(place)], default=start)
    end = end * 1.05 + (end == start)
    for method, own in zip(methods, places, strict=True):
        known = [place for place in own if math.isfinite(place)]
        shares = [(number + 1) / len(own) for number in range(len(known))]
        # A mark for each pair, and none where the line merely begins and ends.
        line = styles[method.label].line | {"markevery": slice(1, -1), "where": "post"}
        axes.step([start, *known, end], [0.0, *shares, shares[-1] if shares else 0.0], **line)
    axes.set_xlim(start, end)
    axes.set_ylim(0.0, 1.03)
