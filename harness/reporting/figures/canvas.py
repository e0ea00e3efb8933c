"""What figures are drawn on: sizes in inches, fonts, panels over a legend, and files that are the same each time."""

from __future__ import annotations

import functools
from collections.abc import Sequence
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

from harness.store import atomic

TEXT_WIDTH = 6.9
"""Inches: both columns of a conference paper."""
COLUMN_WIDTH = 3.4
ABREAST = 3
"""Panels side by side, at most, where a figure takes both columns; in a single one they stand one below the other."""
LETTER = 0.065
"""Mean width of a letter, in inches."""

KINDS = ("svg", "png", "pdf")
"""Files of a figure."""
DATELESS = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""What keeps the time of writing out of a file."""

FONT = "DejaVu Sans"
"""Matplotlib brings it along; a page without it takes another without serifs."""

RC: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.sans-serif": [FONT],
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
    "svg.fonttype": "none",  # text stays text, which can be searched and edited
    "pdf.fonttype": 42,  # whole letters of TrueType; journals refuse those of type 3
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


@dataclass(frozen=True)
class Margins:
    """Inches beside panels."""

    left: float = 0.55
    right: float = 0.1
    """Of the last panel in a line."""
    between: float = 0.45


def panels(
    count: int, height: float, below: Key, abreast: int = ABREAST, beside: Margins = Margins()
) -> tuple[Figure, list[Axes]]:
    """A figure of ``count`` axes, each ``height`` inches without its labels, over a legend.

    Args:
        abreast: of them side by side, at most, if the figure is as wide as a page.
    """
    columns = side_by_side(count, below.width, abreast)
    lines = _lines(count, columns)
    top, bottom, gap = 0.28, 0.45 + below.height, 0.6
    wide = (below.width - beside.left - beside.right - (columns - 1) * beside.between) / columns
    total = top + lines * height + (lines - 1) * gap + bottom
    figure = Figure(figsize=(below.width, total))
    if below.handles:
        place: dict[str, Any] = {"loc": "lower center", "borderaxespad": 0.3, "handlelength": 2.4}
        figure.legend(handles=below.handles, labels=below.labels, ncols=below.columns, **place)
    corners = [
        (
            beside.left + place % columns * (wide + beside.between),
            total - top - height - place // columns * (height + gap),
        )
        for place in range(count)
    ]
    return figure, [
        figure.add_axes((left / below.width, low / total, wide / below.width, height / total)) for left, low in corners
    ]


def side_by_side(count: int, width: float, abreast: int = ABREAST) -> int:
    """How many of ``count`` panels stand side by side in a figure of that width."""
    return min(count, abreast) if width > COLUMN_WIDTH else 1


def save(figure: Figure, stem: Path, kinds: Sequence[str] = KINDS) -> list[Path]:
    """Write ``figure`` as ``stem.svg`` and its like: the same bytes for the same figure.

    Letters that the font lacks are replaced.
    """
    for text in figure.findobj(Text):
        text.set_text(_drawable(text.get_text()))
    return [_save(figure, stem, kind) for kind in kinds]


def style() -> AbstractContextManager[None]:
    """Context in which figures are built and saved."""
    return cast(AbstractContextManager[None], mpl.rc_context(cast(Any, RC)))


def _save(figure: Figure, stem: Path, kind: str) -> Path:
    # The stem's own dots belong to names of networks: with_suffix would cut them off.
    path = stem.with_name(f"{stem.name}.{kind}")
    clear = kind != "png"  # a page, light or dark, shows through what is drawn in lines
    options: dict[str, Any] = {"dpi": 200, "metadata": DATELESS.get(kind), "transparent": clear}
    atomic.write_with(path, lambda place: figure.savefig(place, format=kind, **options))
    return path


@functools.cache
def _letters() -> frozenset[int]:
    """The letters that the font has."""
    family = font_manager.FontProperties(family=FONT)
    return frozenset(font_manager.get_font(font_manager.findfont(family)).get_charmap())


def _drawable(text: str) -> str:
    return "".join(
        letter if ord(letter) in _letters() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _lines(count: int, columns: int) -> int:
    """How many lines ``count`` things take in that many columns."""
    return -(-count // columns)
