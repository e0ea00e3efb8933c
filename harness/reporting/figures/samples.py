"""Figure of the synthetic images of one pair at one data scale: a sample sheet per label."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from harness.errors import describe
from harness.reporting.figures.canvas import COLUMN_WIDTH, TEXT_WIDTH
from harness.reporting.rows import Row, titles

SHEETS = {TEXT_WIDTH: 4, COLUMN_WIDTH: 2}
"""Width of the figure -> sample sheets side by side."""
TITLE, GAP = 0.24, 0.08
"""Height of a sheet's title and space between two, in inches."""
PIXELS = 512
"""Longest side of a sheet as embedded; larger ones are reduced."""


def samples(rows: Sequence[Row], width: float = TEXT_WIDTH) -> Figure | None:
    """The sample sheets of the first seed of each label that has one, side by side; all rows of one scale."""
    sheets = {row.label: sheet for row in rows if (sheet := _sheet(row)) is not None}
    if not sheets:
        return None
    names = titles(rows)
    side = width / SHEETS[width]
    columns = min(SHEETS[width], len(sheets))
    lines = -(-len(sheets) // columns)
    figure = Figure(figsize=(columns * side, lines * (side + TITLE)))
    # One axes for all, in inches from the top left, so that a sheet's place does not depend on matplotlib's margins.
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, columns * side), ylim=(lines * (side + TITLE), 0))
    axes.set_axis_off()
    for place, (label, sheet) in enumerate(sheets.items()):
        left, top = place % columns * side, place // columns * (side + TITLE) + TITLE
        _place(axes, sheet, left + GAP / 2, top, side - GAP)
        axes.text(left + side / 2, top - 0.05, names[label], ha="center", fontsize=8)
    return figure


def _place(axes: Axes, sheet: Image.Image, left: float, top: float, size: float) -> None:
    """Show a sheet within a square of ``size`` inches, its proportions kept."""
    width, height = (size * side / max(sheet.size) for side in sheet.size)
    extent = (left, left + width, top + height, top)
    # imshow sets the limits of the axes to the one image; the other sheets need them as they were.
    limits = (axes.get_xlim(), axes.get_ylim())
    axes.imshow(sheet, interpolation="none", extent=extent, aspect="auto")
    axes.set(xlim=limits[0], ylim=limits[1])


def _sheet(row: Row) -> Image.Image | None:
    for run in row.done:
        # Only regular files are opened: a pipe would be waited for.
        if run.folder.samples.is_file() and (sheet := _decoded(run.folder.samples)):
            return sheet
    return None


def _decoded(path: Path) -> Image.Image | None:
    """A sheet, reduced; None, with a warning, for what is none or would take all memory to decode."""
    try:
        with Image.open(path, formats=["PNG"]) as image:
            image.thumbnail((PIXELS, PIXELS))
            return image.convert("RGB")
    except (
        OSError,
        SyntaxError,
        ValueError,
        EOFError,
        struct.error,
        zlib.error,
        Image.DecompressionBombError,
    ) as error:
        warnings.warn(f"{path}: left out: {describe(error)}", stacklevel=2)
        return None
