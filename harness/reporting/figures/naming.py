"""Names written at what they name: beside points, or at the ends of lines, so that no legend has to be looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes

SIZE = 6.5
"""Of the letters, in points."""
LETTER = 0.056
"""Mean width of a letter of that size, in inches."""
LINE = 0.108
"""Height of a line of that size, in inches."""
MARK = 0.08
"""Side of a mark, in inches."""
THIN = 0.01
"""Half the width of a line, in inches."""
RINGS = (0.07, 0.15, 0.24, 0.35)
"""Distances at which a name is tried, in inches."""
WAYS = ((1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (0.7, -0.7), (-0.7, 0.7), (-0.7, -0.7))
PLACES = [(ring, way) for ring in RINGS for way in WAYS]
"""Where a name may stand, the best place first."""
OUTSIDE = 10.0
"""How much worse a square inch outside the panel is than one upon another name or mark."""
CLEAR = 1.5
"""How many times as far from every other mark as from its own a name must be, to be read as its own."""
UNCLEAR = 0.003
"""How many square inches upon other names a place is worth that could be read as another mark's."""

LEADER: dict[str, Any] = {"arrowstyle": "-", "linewidth": 0.4, "shrinkA": 0, "shrinkB": 2}
"""From a name to what it names."""
PLATE: dict[str, Any] = {"facecolor": "white", "edgecolor": "none", "alpha": 0.65, "pad": 0.4}
"""Behind a name, so that it can be read upon lines."""

Line = tuple[tuple[float, float], tuple[float, float]]
"""Its ends, as data."""
Boxes = np.ndarray[Any, np.dtype[Any]]
"""[N, 4]: left, bottom, right, top in inches from the panel's corner."""


@dataclass(frozen=True)
class End:
    """Where a line ends and what is written there."""

    x: float
    y: float
    name: str
    colour: Any


@dataclass(frozen=True)
class Named(End):
    """A point and what is written at it."""

    reach: tuple[float, float, float, float]
    """Left, bottom, right and top ends of its bars, as data: names keep off these too."""


def width(names: Sequence[str]) -> float:
    """Inches that the longest name takes."""
    return LETTER * max(map(len, names), default=0)


def beside(axes: Axes, points: Sequence[Named], lines: Sequence[Line] = ()) -> None:
    """Write each name beside its point, earlier ones first; the panel's limits must be final.

    Args:
        lines: upright or level ones that names shall not meet.

    Eight places around the point are tried, at growing distance. The first that meets no mark, no bar and no name that
    is there already, and is nearer to its own mark than to the others, is taken, else the one of the least harm. A line
    leads to a name that is not close, or closer to another mark. Points below the panel have no name.
    """
    taken = np.concatenate([_marks(axes, points), _strokes(axes, [*lines, *_bars(points)])])
    panel = np.array([[0.0, 0.0, *_size(axes)]])
    middles = _middles(axes, points)
    for index, point in enumerate(points):
        if point.y < axes.get_ylim()[0]:
            continue
        boxes = _boxes(middles[index], len(point.name))
        outside = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) - _shared(boxes, panel)
        gaps = _gaps(boxes, middles)
        unclear = np.delete(gaps, index, axis=1).min(axis=1, initial=np.inf) < CLEAR * gaps[:, index]
        best = int(np.argmin(np.round(_shared(boxes, taken) + OUTSIDE * outside + UNCLEAR * unclear, 6)))
        ring, way = PLACES[best]
        _write(axes, point, ring, way, led=bool(unclear[best]) or ring > RINGS[1])
        taken = np.concatenate([taken, boxes[best : best + 1]])


def at_ends(axes: Axes, ends: Sequence[End]) -> None:
    """Write each name right of the panel, as high as its line ends and at least a line from the others."""
    wide, high = _size(axes)
    heights = _apart([_place(axes, end.x, end.y)[1] for end in ends], high)
    for end, height in zip(ends, heights, strict=True):
        axes.annotate(
            end.name,
            (end.x, end.y),
            (1 + 0.1 / wide, height / high),
            textcoords="axes fraction",
            va="center",
            color=end.colour,
            fontsize=SIZE,
            annotation_clip=False,
            arrowprops={**LEADER, "color": end.colour, "relpos": (0, 0.5)},
        )


def _apart(heights: Sequence[float], high: float) -> list[float]:
    """The heights nearest to these that are a line apart, in the same order, and within ``high`` where they fit."""
    order = sorted(range(len(heights)), key=lambda index: heights[index])
    # Names that would overlap stand as a block around their mean; blocks that meet become one.
    blocks: list[list[float]] = []
    for place, index in enumerate(order):
        blocks.append([heights[index] - place * LINE])
        while len(blocks) > 1 and np.mean(blocks[-2]) >= np.mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    bases = [float(np.mean(block)) for block in blocks for _ in block]
    highest = high - (len(bases) - 1) * LINE
    found = [max(0.0, min(base, highest)) + place * LINE for place, base in enumerate(bases)]
    return [found[order.index(index)] for index in range(len(heights))]


def _size(axes: Axes) -> tuple[float, float]:
    """Width and height of a panel, in inches."""
    box, figure = axes.get_position(), axes.get_figure()
    assert figure is not None
    across, along = figure.get_figure(root=True).get_size_inches()
    return box.width * across, box.height * along


def _place(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """A point of the data, in inches from the panel's corner."""
    # Asking for the limits brings them up to date.
    _ = axes.get_xlim(), axes.get_ylim()
    across, along = (axes.transData - axes.transAxes).transform((x, y))
    wide, high = _size(axes)
    return across * wide, along * high


def _middles(axes: Axes, points: Sequence[Named]) -> Boxes:
    """Where the points are [N, 2], in inches from the panel's corner."""
    return np.array([_place(axes, point.x, point.y) for point in points]).reshape(-1, 2)


def _marks(axes: Axes, points: Sequence[Named]) -> Boxes:
    middles = _middles(axes, points)
    return np.hstack([middles - MARK / 2, middles + MARK / 2])


def _gaps(boxes: Boxes, middles: Boxes) -> Boxes:
    """Inches [N, M] from each of N boxes to each of M points; 0 inside."""
    beyond = np.maximum(boxes[:, None, :2] - middles, middles - boxes[:, None, 2:])
    gaps: Boxes = np.linalg.norm(np.clip(beyond, 0, None), axis=2)
    return gaps


def _bars(points: Sequence[Named]) -> list[Line]:
    """The bars across and along of each point."""
    reaches = [(point, *point.reach) for point in points]
    across = [((left, point.y), (right, point.y)) for point, left, _, right, _ in reaches]
    return across + [((point.x, bottom), (point.x, top)) for point, _, bottom, _, top in reaches]


def _strokes(axes: Axes, lines: Sequence[Line]) -> Boxes:
    ends = np.array([[_place(axes, *end) for end in line] for line in lines]).reshape(-1, 2, 2)
    return np.hstack([ends.min(axis=1) - THIN, ends.max(axis=1) + THIN])


def _boxes(place: Boxes, letters: int) -> Boxes:
    """What a name takes at each of the `PLACES` around a point."""
    ways = np.array([way for _, way in PLACES])
    middles = place + ways * [[ring] for ring, _ in PLACES]
    size = np.array([LETTER * letters, LINE])
    low = middles - size * (1 - np.sign(ways)) / 2
    return np.hstack([low, low + size])


def _shared(boxes: Boxes, others: Boxes) -> Boxes:
    """Square inches [N] that each of the boxes shares with all the others together."""
    sides = np.minimum(boxes[:, None, 2:], others[:, 2:]) - np.maximum(boxes[:, None, :2], others[:, :2])
    shared: Boxes = np.sum(np.prod(np.clip(sides, 0, None), axis=2), axis=1)
    return shared


def _write(axes: Axes, point: Named, ring: float, way: tuple[float, float], *, led: bool) -> None:
    across, along = (72 * ring * part for part in way)
    axes.annotate(
        point.name,
        (point.x, point.y),
        (across, along),
        textcoords="offset points",
        ha={1: "left", 0: "center", -1: "right"}[int(np.sign(way[0]))],
        va={1: "bottom", 0: "center", -1: "top"}[int(np.sign(way[1]))],
        color=point.colour,
        fontsize=SIZE,
        arrowprops={**LEADER, "color": point.colour} if led else None,
        bbox=PLATE,
        zorder=2.5,
    )
