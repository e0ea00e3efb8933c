"""Figure of the synthetic images of one pair at one data scale: their classes and their difficulty (figure 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.reporting import text
from harness.reporting.figures.canvas import LETTER, TEXT_WIDTH
from harness.reporting.figures.look import Look
from harness.reporting.rows import Row
from harness.store.records import Metrics

PANEL, TOP, BOTTOM, NAME = 0.42, 0.3, 0.42, 0.045
"""Height of one label's panels, of what is above and below them all, and of a letter of classes' names, in inches."""
TICKS, REMARK = 0.4, 0.75
"""Width of the numbers at the left and of the remark at the right of a panel, in inches."""
MOST_NAMES, LONGEST_NAME = 20, 14
"""Classes beyond which their numbers are shown instead of their names, and letters of a name."""
NARROWEST = 0.2
"""Width of a panel at least, in inches."""
FULL = 0.85
"""Part of a panel that the highest bar takes."""
FLOOR = 1e-3
"""Where the logarithmic axis of difficulty begins: the share of 2 images out of 2,000."""

Array = np.ndarray[Any, np.dtype[Any]]
Shares = dict[str, Array]
"""Label -> share of each bin, the mean over the seeds; sums to 1."""


def focus(rows: Sequence[Row]) -> list[Row]:
    """The rows of the scale nearest to 10 %, where the paper shows its histograms and samples."""
    done = [row for row in rows if row.done]
    scales = {row.scale for row in done}
    nearest = min(scales, key=lambda scale: (abs(np.log(scale / 10)), scale)) if scales else None
    return [row for row in done if row.scale == nearest]


def histograms(rows: Sequence[Row], styles: dict[str, Look], width: float = TEXT_WIDTH) -> Figure | None:
    """Class balance and difficulty of the synthetic set, a panel of each per label; all rows of one scale.

    All panels of a column have the same axes. Difficulty is logarithmic: the images of which a teacher is not sure
    are few for most methods, and they are what matters.
    """
    classes = _shares(rows, lambda metrics: metrics.class_counts)
    difficulty = _shares(rows, lambda metrics: metrics.difficulty)
    names = [row.label for row in rows if row.label in classes or row.label in difficulty]
    if not names:
        return None
    titles = [styles[name].title for name in names]
    called = class_names(rows) if classes else []
    shown = [text.line(name)[:LONGEST_NAME] for name in called] if len(called) <= MOST_NAMES else []
    figure, (balance, hard) = _columns(titles, NAME * max(map(len, shown), default=0), width)
    colours = {name: styles[name].colour for name in names}
    _classes(balance, names, classes, colours)
    if shown:
        balance.set_xticks(range(len(called)), shown, rotation=90, fontsize=5.5)
    _difficulty(hard, names, difficulty, colours)
    for index, title in enumerate(titles):
        place = len(names) - 1 - index + FULL / 2
        balance.annotate(
            title, (0, place), (-72 * TICKS, 0), ("axes fraction", "data"), "offset points", ha="right", va="center"
        )
    return figure


def class_names(rows: Sequence[Row]) -> list[str]:
    """What the classes of these rows, all of one dataset, are called; empty where no record tells."""
    return next((run.metrics.class_names for row in rows for run in row.done if run.metrics.class_names), [])


def _columns(titles: Sequence[str], extra: float, width: float) -> tuple[Figure, list[Axes]]:
    """Two axes side by side; each holds the panels of a column, one above the other, the first label's on top.

    A panel is one unit high on the vertical axis; ``extra`` are inches below the axes. Titles that leave no room for
    panels make the figure wider than ``width``.
    """
    bottom = BOTTOM + extra
    height = PANEL * len(titles) + TOP + bottom
    room = 0.1 + LETTER * max(map(len, titles))
    width = max(width, room + 2 * (NARROWEST + TICKS + REMARK))
    wide = (width - room) / 2 - TICKS - REMARK
    figure = Figure(figsize=(width, height))
    lefts = (room + TICKS, room + 2 * TICKS + wide + REMARK)
    places = [(left / width, bottom / height, wide / width, PANEL * len(titles) / height) for left in lefts]
    return figure, [figure.add_axes(place, ylim=(-0.1, len(titles))) for place in places]


def _shares(rows: Sequence[Row], counts_of: Callable[[Metrics], list[int] | None]) -> Shares:
    found: Shares = {}
    for row in rows:
        known = [np.asarray(counts, float) for run in row.done if (counts := counts_of(run.metrics)) and sum(counts)]
        if known:
            # Shares before the mean, so that every seed weighs the same however many images it has.
            found[row.label] = np.mean([counts / counts.sum() for counts in known], axis=0)
    return found


def _classes(axes: Axes, names: Sequence[str], shares: Shares, colours: dict[str, str]) -> None:
    """A bar per class; a line and a tick at the even share; the smallest and the largest share as a remark."""
    top = max((share.max() for share in shares.values()), default=1.0)
    bars = {label: FULL * share / top for label, share in shares.items()}
    count = max((len(share) for share in shares.values()), default=1)
    _bars(axes, names, bars, colours, np.arange(count + 1) - 0.5)
    _ticks(axes, names, {FULL / count / top: f"{_percent(1 / count)} %"})
    for base in range(len(names)):
        axes.axhline(base + FULL / count / top, color="#222222", linewidth=0.7, linestyle="--")
    _remarks(axes, names, {label: f"{_percent(s.min())}–{_percent(s.max())} %" for label, s in shares.items()})
    axes.set_title("share of images per class (dashed: even)", loc="left")
    axes.set_xlabel("class, as the teacher sees it")


def _difficulty(axes: Axes, names: Sequence[str], shares: Shares, colours: dict[str, str]) -> None:
    """A bar per bin on a logarithmic axis; the mean difficulty, of the middles of the bins, as a remark."""
    bars = {label: FULL * (1 - np.log(np.maximum(share, FLOOR)) / np.log(FLOOR)) for label, share in shares.items()}
    edges = np.linspace(0, 1, 1 + max((len(share) for share in shares.values()), default=1))
    _bars(axes, names, bars, colours, edges)
    _ticks(axes, names, {FULL / 3: "1 %", FULL: "100 %"})
    middles = (edges[1:] + edges[:-1]) / 2
    _remarks(axes, names, {label: f"mean {share @ middles:.2f}" for label, share in shares.items()})
    axes.set_title("share of images by difficulty (log scale)", loc="left")
    axes.set_xlabel("difficulty, 1 − pₜ")


def _bars(axes: Axes, names: Sequence[str], bars: Shares, colours: dict[str, str], edges: Array) -> None:
    """``bars``: label -> heights in panels."""
    for base, label in enumerate(reversed(names)):
        if label in bars:
            axes.stairs(base + bars[label], edges, baseline=base, fill=True, color=colours[label], alpha=0.85)
        axes.axhline(base, color="#888888", linewidth=0.5)
    axes.set_xlim(edges[0], edges[-1])
    axes.grid(False)


def _ticks(axes: Axes, names: Sequence[str], marks: dict[float, str]) -> None:
    """The same ticks in every panel, given by their height."""
    places = {base + height: name for base in range(len(names)) for height, name in marks.items()}
    axes.set_yticks(list(places), list(places.values()), fontsize=5.5)


def _remarks(axes: Axes, names: Sequence[str], remarks: dict[str, str]) -> None:
    for base, label in enumerate(reversed(names)):
        axes.annotate(remarks.get(label, ""), (1.03, base + FULL / 2), xycoords=("axes fraction", "data"), va="center")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") if share < 0.0995 else f"{100 * share:.0f}"
