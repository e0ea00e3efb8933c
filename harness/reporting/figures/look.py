"""How labels look: each has one colour, marker and dash, the same in every figure."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matplotlib.colors import to_rgb

from harness.reporting.quantities import FINAL
from harness.reporting.rows import Row, labels, titles
from harness.reporting.settings import parts, settings

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#332288", "#882255")
"""Okabe and Ito's palette without yellow and black, then two dark ones of Tol's: told apart by the colour-blind."""
MARKERS = "os^DvPX<>ph*d"
DASHES: tuple[Any, ...] = ("-", (0, (3.5, 1.2)), (0, (1, 1)), (0, (5, 1, 1, 1)))
"""Labels of one colour differ in these; in the markers too."""
GREYS = ("#222222", "#555555", "#777777")
GREY_DASHES = ("--", ":", "-.")
LEADING = 6
"""Methods in colour, in figures that would show more than `MANY`."""
MANY = 8
PALE = "#ADADAD"
"""Of the methods that do not lead."""


@dataclass(frozen=True)
class Look:
    """How one label is drawn, in every figure."""

    colour: str
    marker: str
    dash: Any
    """As matplotlib takes it: a name, or an offset and lengths in line widths."""
    title: str
    """What figures call the label: shortened if it is long."""
    hollow: bool = False

    @property
    def line(self) -> dict[str, Any]:
        """Arguments of ``Axes.plot``."""
        face = "white" if self.hollow else self.colour
        behind = {"zorder": 1, "linewidth": 0.8} if self.pale else {}
        shape = {"color": self.colour, "marker": self.marker, "linestyle": self.dash, "markerfacecolor": face}
        return shape | behind

    @property
    def pale(self) -> bool:
        """Whether it does not lead among the labels of its figure."""
        return self.colour == PALE

    @property
    def ink(self) -> Any:
        """Its colour for letters: darker, as these are thin."""
        return tuple(0.68 * part for part in to_rgb(self.colour))


def looks(rows: Sequence[Row]) -> dict[str, Look]:
    """Label -> its look. References are grey and dashed; what is drawn in colour together differs in it if it can."""
    names = titles(rows)
    grey = labels(row for row in rows if row.reference)
    found = {
        label: Look(GREYS[i % len(GREYS)], MARKERS[i % len(MARKERS)], GREY_DASHES[i % len(GREY_DASHES)], names[label])
        for i, label in enumerate(grey)
    }
    # Dashes are counted by colour; markers over all labels, but for those that a colour has already: points tell apart
    # by both as long as a colour has no more labels than there are markers.
    drawn: dict[str, list[str]] = {colour: [] for colour in COLOURS}
    beside = _beside(rows)
    # Who stands beside most has the least choice.
    for label in sorted(labels(row for row in rows if row.label not in found), key=lambda own: -len(beside[own])):
        colour = _free([found[other].colour for other in beside[label] if other in found], drawn)
        inorder = [MARKERS[(len(found) + ahead) % len(MARKERS)] for ahead in range(len(MARKERS))]
        marker = next((new for new in inorder if new not in drawn[colour]), inorder[0])
        found[label] = Look(colour, marker, DASHES[len(drawn[colour]) % len(DASHES)], names[label])
        drawn[colour].append(marker)
    return found


def leading(rows: Sequence[Row], styles: dict[str, Look]) -> dict[str, Look]:
    """The looks for one figure: of many methods only the most accurate keep their colours, the others are pale."""
    ranked, coloured = _ranked(rows), _coloured(rows)
    paled = [label for label in ranked if label not in coloured]
    return {**styles, **{label: replace(styles[label], colour=PALE, dash="-") for label in paled}}


def _beside(rows: Sequence[Row]) -> dict[str, set[str]]:
    """Label -> those that are in colour where it is: in the figures of a pair, or in a chart of one of its scales."""
    found: dict[str, set[str]] = defaultdict(set)
    for shown in (*parts(rows), *settings(rows)):
        coloured = _coloured(shown.rows)
        for label in coloured:
            found[label].update(coloured)
    return found


def _free(taken: Sequence[str], drawn: Mapping[str, Sequence[str]]) -> str:
    """The colour that is taken least beside a label; of several the one that the fewest labels have."""
    return min(COLOURS, key=lambda colour: (taken.count(colour), len(drawn[colour])))


def _coloured(rows: Sequence[Row]) -> list[str]:
    """The methods that one figure of these rows shows in colour."""
    ranked = _ranked(rows)
    return ranked[:LEADING] if len(ranked) > MANY else ranked


def _ranked(rows: Sequence[Row]) -> list[str]:
    """Methods by their mean over the scales and seeds that are done, the most accurate first."""
    finals: dict[str, list[float]] = {}
    for row in rows:
        if not row.reference and (mean := row.summary(FINAL).mean) is not None:
            finals.setdefault(row.label, []).append(mean)
    return sorted(finals, key=lambda label: statistics.fmean(finals[label]), reverse=True)
