"""Figures of the synthetic images of one pair at one data scale: their classes, their difficulty, and samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image, UnidentifiedImageError

from harness.reporting.cells import Cell
from harness.reporting.look import LETTER, TEXT_WIDTH, Look

ROW = 0.42
"""Height of one label's histogram, in inches."""
SHEETS = 4
"""Sample sheets side by side."""
SHEET, TITLE, GAP = TEXT_WIDTH / SHEETS, 0.24, 0.08
"""Side of a sheet, height of its title and space between two, in inches."""
PIXELS = 512
"""Longest side of a sheet as embedded; larger ones are reduced."""

Shares = dict[str, np.ndarray[Any, np.dtype[np.float64]]]
"""Label -> share of each bin, the mean over the seeds; sums to 1."""


def focus(cells: Sequence[Cell]) -> list[Cell]:
    """The cells of the scale nearest to 10 %, where the paper shows its histograms and samples."""
    done = [cell for cell in cells if cell.done]
    scales = {cell.scale for cell in done}
    nearest = min(scales, key=lambda scale: (abs(np.log(scale / 10)), scale)) if scales else None
    return [cell for cell in done if cell.scale == nearest]


def histograms(cells: Sequence[Cell], styles: dict[str, Look]) -> Figure | None:
    """Class balance and difficulty of the synthetic set, one row per label; all cells of one scale."""
    classes, difficulty = _shares(cells, "class_counts"), _shares(cells, "difficulty")
    rows = [cell.label for cell in cells if cell.label in classes or cell.label in difficulty]
    if not rows:
        return None
    height = ROW * len(rows) + 0.75
    figure = Figure(figsize=(TEXT_WIDTH, height))
    longest = max(len(label) for label in rows)
    left = 0.15 + LETTER * longest
    figure.subplots_adjust(left / TEXT_WIDTH, 0.42 / height, 1 - 0.55 / TEXT_WIDTH, 1 - 0.3 / height, 0.22)
    balance, hard = figure.subplots(1, 2, sharey=True)
    _rows(balance, rows, classes, styles, uniform=True)
    _rows(hard, rows, difficulty, styles, uniform=False)
    balance.set_title("share of images per class (dashed: uniform)", loc="left")
    hard.set_title("share of images by difficulty", loc="left")
    balance.set_xlabel("class, as the teacher sees it")
    hard.set_xlabel("difficulty, 1 − $p_t$")
    balance.set_yticks([len(rows) - 1 - i + 0.4 for i in range(len(rows))], rows)
    return figure


def samples(cells: Sequence[Cell]) -> Figure | None:
    """The sample sheets of the first seed of each label that has one, side by side; all cells of one scale."""
    sheets = {cell.label: sheet for cell in cells if (sheet := _sheet(cell)) is not None}
    if not sheets:
        return None
    columns = min(SHEETS, len(sheets))
    rows = -(-len(sheets) // columns)
    figure = Figure(figsize=(columns * SHEET, rows * (SHEET + TITLE)))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, columns * SHEET), ylim=(rows * (SHEET + TITLE), 0))
    axes.set_axis_off()
    for place, (label, sheet) in enumerate(sheets.items()):
        left, top = place % columns * SHEET, place // columns * (SHEET + TITLE) + TITLE
        _place(axes, sheet, left + GAP / 2, top, SHEET - GAP)
        axes.text(left + SHEET / 2, top - 0.05, label, ha="center", fontsize=8)
    return figure


def _place(axes: Axes, sheet: Image.Image, left: float, top: float, size: float) -> None:
    """Show a sheet within a square of ``size`` inches, its proportions kept."""
    width, height = (size * side / max(sheet.size) for side in sheet.size)
    extent = (left, left + width, top + height, top)
    limits = (axes.get_xlim(), axes.get_ylim())
    axes.imshow(sheet, interpolation="none", extent=extent, aspect="auto")
    axes.set(xlim=limits[0], ylim=limits[1])


def _shares(cells: Sequence[Cell], column: str) -> Shares:
    found: Shares = {}
    for cell in cells:
        counts = [np.asarray(run[column], float) for run in cell.done if run[column] is not None and sum(run[column])]
        if counts:
            found[cell.label] = np.mean([count / count.sum() for count in counts], axis=0)
    return found


def _rows(axes: Axes, rows: Sequence[str], shares: Shares, styles: dict[str, Look], uniform: bool) -> None:
    """One histogram above the other on a common scale, the largest share of each at its right."""
    top = max((share.max() for share in shares.values()), default=1.0)
    for place, label in enumerate(rows):
        if label not in shares:
            continue
        share, base = shares[label], len(rows) - 1 - place
        edges = np.arange(len(share) + 1) - 0.5 if uniform else np.linspace(0, 1, len(share) + 1)
        heights = base + 0.85 * share / top
        axes.stairs(heights, edges, baseline=base, fill=True, color=styles[label].colour, alpha=0.85)
        axes.hlines(base, edges[0], edges[-1], color="#888888", linewidth=0.5)
        if uniform:
            line = base + 0.85 / len(share) / top
            axes.hlines(line, edges[0], edges[-1], color="#222222", linewidth=0.7, linestyle="--")
        axes.annotate(f"max {share.max():.0%}", (1.02, base + 0.3), xycoords=("axes fraction", "data"))
    axes.set_ylim(-0.1, len(rows))
    axes.margins(x=0.01)
    axes.grid(False)
    axes.spines["left"].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _sheet(cell: Cell) -> Image.Image | None:
    for run in cell.done:
        try:
            with Image.open(Path(run["path"]) / "samples.png") as image:
                image.thumbnail((PIXELS, PIXELS))
                return image.convert("RGB")
        except (OSError, UnidentifiedImageError):
            continue
    return None
