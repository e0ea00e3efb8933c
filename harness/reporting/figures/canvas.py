"""What figures are drawn on: sizes in inches, fonts, panels over a legend, and files that are the same each time."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text

from harness.reporting.figures.look import Look
from harness.store import atomic

TEXT_WIDTH = 6.9
"""Inches: both columns of a conference paper."""
COLUMN_WIDTH = 3.4
ABREAST = 3
"""Panels side by side."""
LETTER = 0.065
"""Mean width of a letter, in inches."""

RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 7.5,
    "axes.titlesize": 8,
    "axes.titley": 1.0,  # a fixed place: the search for a free one takes a tenth of the drawing time
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 4.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "text.parse_math": False,  # names are text, whatever signs they hold
    "svg.hashsalt": "dkd",  # without it the ids in a file are drawn anew each time
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Key:
    """The entries of a legend below the panels."""

    handles: Sequence[Line2D]
    width: float
    """Of the figure, in inches."""

    @property
    def labels(self) -> list[str]:
        """What the entries say."""
        return [str(handle.get_label()) for handle in self.handles]

    @property
    def columns(self) -> int:
        """How many entries fit side by side, spread evenly over the rows."""
        if not self.handles:
            return 1
        longest = max(map(len, self.labels))
        fit = max(1, int(self.width / (0.5 + LETTER * longest)))
        # As few lines as they fit in, then as few columns as these lines need.
        return _lines(len(self.handles), _lines(len(self.handles), fit))

    @property
    def height(self) -> float:
        """Inches; none where there is nothing to say."""
        return 0.158 * _lines(len(self.handles), self.columns) + 0.1 if self.handles else 0.0


def key(styles: dict[str, Look], names: Iterable[str], width: float, extra: Sequence[Line2D] = ()) -> Key:
    """A legend of labels, and of whatever else the panels show."""
    return Key([*(Line2D([], [], label=styles[name].title, **styles[name].line) for name in names), *extra], width)


def panels(count: int, height: float, below: Key) -> tuple[Figure, list[Axes]]:
    """A figure of ``count`` axes, each ``height`` inches without its labels, over a legend."""
    columns = min(count, ABREAST)
    lines = _lines(count, columns)
    width, left, right, top, bottom, gap = below.width, 0.55, 0.2, 0.28, 0.45 + below.height, 0.6
    total = top + lines * height + (lines - 1) * gap + bottom
    figure = Figure(figsize=(width, total))
    figure.subplots_adjust(left / width, bottom / total, 1 - right / width, 1 - top / total, 0.28, gap / height)
    place: dict[str, Any] = {"loc": "lower center", "ncols": below.columns, "borderaxespad": 0.3, "handlelength": 2.4}
    if below.handles:
        figure.legend(handles=below.handles, labels=below.labels, **place)
    return figure, [figure.add_subplot(lines, columns, i + 1) for i in range(count)]


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write ``figure`` as ``stem.svg`` and ``stem.png``: the same bytes for the same figure.

    Letters that the font lacks are replaced.
    """
    for text in figure.findobj(Text):
        text.set_text(_drawable(text.get_text()))
    # The stem's own dots belong to names of networks: with_suffix would cut them off.
    svg, png = stem.with_name(f"{stem.name}.svg"), stem.with_name(f"{stem.name}.png")
    atomic.write_with(svg, lambda path: figure.savefig(path, format="svg", metadata={"Date": None}))
    atomic.write_with(png, lambda path: figure.savefig(path, format="png", dpi=200))
    return [svg, png]


def style() -> AbstractContextManager[None]:
    """Context in which figures are built and saved."""
    return cast(AbstractContextManager[None], mpl.rc_context(cast(Any, RC)))


@functools.cache
def _letters() -> frozenset[int]:
    """The letters that the font has."""
    family = font_manager.FontProperties(family=RC["font.family"])
    return frozenset(font_manager.get_font(font_manager.findfont(family)).get_charmap())


def _drawable(text: str) -> str:
    return "".join(
        letter if ord(letter) in _letters() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _lines(count: int, columns: int) -> int:
    """How many lines ``count`` things take in that many columns."""
    return -(-count // columns)
