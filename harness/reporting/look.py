"""How figures look: one colour and marker per label, sizes in inches, svg and png written the same way each time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from harness import storage
from harness.reporting.cells import Cell, labels

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#882255")
"""Okabe and Ito's palette without yellow and black, then two dark ones of Tol's: told apart by the colour-blind."""
MARKERS = "os^DvPX<>ph*d"
DASHES: tuple[Any, ...] = ("-", (0, (3.5, 1.2)), (0, (1, 1)), (0, (5, 1, 1, 1)))
"""Labels of one colour differ in these; in the markers too."""
FAMILY = 3
"""Labels of one method share a colour if they are no more than this."""
GREYS = ("#555555", "#888888", "#AAAAAA")
GREY_DASHES = ("--", ":", "-.")

TEXT_WIDTH = 6.9
"""Inches: both columns of a conference paper."""
COLUMN_WIDTH = 3.4
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
    "svg.hashsalt": "dkd",
    "svg.fonttype": "path",
}


@dataclass(frozen=True)
class Look:
    """How one label is drawn, in every figure."""

    colour: str
    marker: str
    dash: Any
    """As matplotlib takes it: a name, or an offset and lengths in line widths."""
    hollow: bool = False

    @property
    def line(self) -> dict[str, Any]:
        """Arguments of ``Axes.plot``."""
        face = "white" if self.hollow else self.colour
        return {"color": self.colour, "marker": self.marker, "linestyle": self.dash, "markerfacecolor": face}


def looks(cells: Sequence[Cell]) -> dict[str, Look]:
    """Label -> its look. Methods take the colours in the order of the cells; references are grey and dashed."""
    grey = labels(cell for cell in cells if cell.reference)
    found = {
        label: Look(GREYS[i % len(GREYS)], MARKERS[i % len(MARKERS)], GREY_DASHES[i % len(GREY_DASHES)])
        for i, label in enumerate(grey)
    }
    drawn: Counter[str] = Counter()
    for slot, family in enumerate(_families(cell for cell in cells if cell.label not in found)):
        colour = COLOURS[slot % len(COLOURS)]
        for label in family:
            found[label] = Look(colour, MARKERS[len(found) % len(MARKERS)], DASHES[drawn[colour] % len(DASHES)])
            drawn[colour] += 1
    return found


def _families(cells: Iterable[Cell]) -> list[list[str]]:
    """The labels that share a colour: a method's few; the many of an ablation one by one, after all others."""
    methods: dict[str, dict[str, None]] = {}
    for label, method in {cell.label: cell.method for cell in cells}.items():
        methods.setdefault(method, {})[label] = None
    few = [list(names) for names in methods.values() if len(names) <= FAMILY]
    return few + [[label] for names in methods.values() if len(names) > FAMILY for label in names]


@dataclass(frozen=True)
class Key:
    """The entries of a legend below the panels."""

    handles: Sequence[Line2D]
    width: float
    """Of the figure, in inches."""

    @property
    def columns(self) -> int:
        """How many entries fit side by side, spread evenly over the rows."""
        if not self.handles:
            return 1
        longest = max(len(str(handle.get_label())) for handle in self.handles)
        fit = max(1, int(self.width / (0.5 + LETTER * longest)))
        return -(-len(self.handles) // -(-len(self.handles) // fit))

    @property
    def height(self) -> float:
        """Inches."""
        return 0.158 * -(-len(self.handles) // self.columns) + 0.1


def key(styles: dict[str, Look], names: Iterable[str], width: float, extra: Sequence[Line2D] = ()) -> Key:
    """A legend of labels, and of whatever else the panels show."""
    return Key([*(Line2D([], [], label=name, **styles[name].line) for name in names), *extra], width)


def panels(count: int, height: float, below: Key) -> tuple[Figure, list[Axes]]:
    """A figure of ``count`` axes in rows of up to three, each ``height`` inches without its labels, over a legend."""
    columns = min(count, 3)
    rows = -(-count // columns)
    width, left, right, top, bottom, gap = below.width, 0.55, 0.2, 0.28, 0.45 + below.height, 0.6
    total = top + rows * height + (rows - 1) * gap + bottom
    figure = Figure(figsize=(width, total))
    figure.subplots_adjust(left / width, bottom / total, 1 - right / width, 1 - top / total, 0.28, gap / height)
    figure.legend(handles=below.handles, loc="lower center", ncols=below.columns, borderaxespad=0.3, handlelength=2.4)
    return figure, [figure.add_subplot(rows, columns, i + 1) for i in range(count)]


def save(figure: Figure, stem: Path) -> list[Path]:
    """Write ``figure`` as ``stem.svg`` and ``stem.png``: the same bytes for the same figure."""
    svg, png = stem.with_name(f"{stem.name}.svg"), stem.with_name(f"{stem.name}.png")
    storage.write_with(svg, lambda path: figure.savefig(path, format="svg", metadata={"Date": None}))
    storage.write_with(png, lambda path: figure.savefig(path, format="png", dpi=200))
    return [svg, png]


def style() -> AbstractContextManager[None]:
    """Context in which figures are built and saved."""
    return cast(AbstractContextManager[None], mpl.rc_context(cast(Any, RC)))
