"""Figure of the synthetic images of one pair at one data scale: their classes and their difficulty (figure 2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.reporting.cells import Cell
from harness.reporting.look import LETTER, TEXT_WIDTH, Look

ROW, TOP, BOTTOM = 0.42, 0.3, 0.42
"""Height of one label's panels, and of what is above and below them all, in inches."""
TICKS, REMARK = 0.4, 0.75
"""Width of the numbers at the left and of the remark at the right of a panel, in inches."""
FULL = 0.85
"""Part of a panel that the highest bar takes."""
FLOOR = 1e-3
"""Where the logarithmic axis of difficulty begins: the share of 2 images out of 2,000."""

Array = np.ndarray[Any, np.dtype[Any]]
Shares = dict[str, Array]
"""Label -> share of each bin, the mean over the seeds; sums to 1."""


def focus(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of the scale nearest to 10 %, where the paper shows its histograms and samples."""
    done = [cell for cell in cells if cell.done]
    scales = {cell.scale for cell in done}
    nearest = min(scales, key=lambda scale: (abs(np.log(scale / 10)), scale)) if scales else None
    return [cell for cell in done if cell.scale == nearest]


def histograms(cells: Sequence[Cell], styles: dict[str, Look]) -> Figure | None:
    """Class balance and difficulty of the synthetic set, a panel of each per label; all cells of one scale.

    All panels of a column have the same axes. Difficulty is logarithmic: the images of which a teacher is not sure
    are few for most methods, and they are what matters.
    """
    classes, difficulty = _shares(cells, "class_counts"), _shares(cells, "difficulty")
    rows = [cell.label for cell in cells if cell.label in classes or cell.label in difficulty]
    if not rows:
        return None
    figure, (balance, hard) = _columns(rows)
    colours = {label: styles[label].colour for label in rows}
    _classes(balance, rows, classes, colours)
    _difficulty(hard, rows, difficulty, colours)
    for row, label in enumerate(rows):
        place = len(rows) - 1 - row + FULL / 2
        balance.annotate(
            label, (0, place), (-72 * TICKS, 0), ("axes fraction", "data"), "offset points", ha="right", va="center"
        )
    return figure


def _columns(rows: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """Two axes side by side; each holds the panels of a column, one above the other, the first row on top."""
    height = ROW * len(rows) + TOP + BOTTOM
    names = 0.1 + LETTER * max(len(label) for label in rows)
    wide = (TEXT_WIDTH - names) / 2 - TICKS - REMARK
    figure = Figure(figsize=(TEXT_WIDTH, height))
    lefts = (names + TICKS, names + 2 * TICKS + wide + REMARK)
    places = [(left / TEXT_WIDTH, BOTTOM / height, wide / TEXT_WIDTH, ROW * len(rows) / height) for left in lefts]
    return figure, [figure.add_axes(place, ylim=(-0.1, len(rows))) for place in places]


def _shares(cells: Sequence[Cell], column: str) -> Shares:
    found: Shares = {}
    for cell in cells:
        counts = [np.asarray(run[column], float) for run in cell.done if run[column] is not None and sum(run[column])]
        if counts:
            found[cell.label] = np.mean([count / count.sum() for count in counts], axis=0)
    return found


def _classes(axes: Axes, rows: Sequence[str], shares: Shares, colours: dict[str, str]) -> None:
    """A bar per class; a line and a tick at the even share; the smallest and the largest share as a remark."""
    top = max((share.max() for share in shares.values()), default=1.0)
    bars = {label: FULL * share / top for label, share in shares.items()}
    count = max((len(share) for share in shares.values()), default=1)
    _bars(axes, rows, bars, colours, np.arange(count + 1) - 0.5)
    _ticks(axes, rows, {FULL / count / top: f"{_percent(1 / count)} %"})
    for base in range(len(rows)):
        axes.axhline(base + FULL / count / top, color="#222222", linewidth=0.7, linestyle="--")
    _remarks(axes, rows, {label: f"{_percent(s.min())}–{_percent(s.max())} %" for label, s in shares.items()})
    axes.set_title("share of images per class (dashed: even)", loc="left")
    axes.set_xlabel("class, as the teacher sees it")


def _difficulty(axes: Axes, rows: Sequence[str], shares: Shares, colours: dict[str, str]) -> None:
    """A bar per bin on a logarithmic axis; the mean difficulty, of the middles of the bins, as a remark."""
    bars = {label: FULL * (1 - np.log(np.maximum(share, FLOOR)) / np.log(FLOOR)) for label, share in shares.items()}
    edges = np.linspace(0, 1, 1 + max((len(share) for share in shares.values()), default=1))
    _bars(axes, rows, bars, colours, edges)
    _ticks(axes, rows, {FULL / 3: "1 %", FULL: "100 %"})
    middles = (edges[1:] + edges[:-1]) / 2
    _remarks(axes, rows, {label: f"mean {share @ middles:.2f}" for label, share in shares.items()})
    axes.set_title("share of images by difficulty (log scale)", loc="left")
    axes.set_xlabel("difficulty, 1 − $p_t$")


def _bars(axes: Axes, rows: Sequence[str], bars: Shares, colours: dict[str, str], edges: Array) -> None:
    """``bars``: label -> heights in panels."""
    for base, label in enumerate(reversed(rows)):
        if label in bars:
            axes.stairs(base + bars[label], edges, baseline=base, fill=True, color=colours[label], alpha=0.85)
        axes.axhline(base, color="#888888", linewidth=0.5)
    axes.set_xlim(edges[0], edges[-1])
    axes.grid(False)


def _ticks(axes: Axes, rows: Sequence[str], marks: dict[float, str]) -> None:
    """The same ticks in every panel, given by their height."""
    places = {base + height: name for base in range(len(rows)) for height, name in marks.items()}
    axes.set_yticks(list(places), list(places.values()), fontsize=5.5)


def _remarks(axes: Axes, rows: Sequence[str], remarks: dict[str, str]) -> None:
    for base, label in enumerate(reversed(rows)):
        axes.annotate(remarks.get(label, ""), (1.03, base + FULL / 2), xycoords=("axes fraction", "data"), va="center")


def _percent(share: float) -> str:
    return f"{100 * share:.1f}".removesuffix(".0") if share < 0.0995 else f"{100 * share:.0f}"
