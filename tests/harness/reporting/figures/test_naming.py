"""Where names stand is measured by matplotlib's own renderer, which the placing does not ask."""

import itertools
import math
import random

import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from harness.reporting.figures import naming
from harness.reporting.figures.canvas import style


def panel() -> Axes:
    return Figure(figsize=(4.0, 3.0)).add_axes((0.1, 0.1, 0.6, 0.8), xlim=(1, 1000), ylim=(0, 100), xscale="log")


def written(axes: Axes) -> list[Bbox]:
    """What each name takes, in pixels; a plate's margin is left out."""
    renderer = FigureCanvasAgg(axes.get_figure(root=True)).get_renderer()
    for text in axes.texts:
        text.update_positions(renderer)
    # An annotation's own extent holds its line too.
    boxes = [Text.get_window_extent(text, renderer) for text in axes.texts]
    assert all(box.width > 1 for box in boxes)
    return boxes


def named(points: list[tuple[float, float]]) -> list[naming.Named]:
    return [naming.Named(x, y, f"Method-{i}", "black", (x, y, x, y)) for i, (x, y) in enumerate(points)]


def test_names_at_points_keep_off_one_another_and_off_marks() -> None:
    chance = random.Random(0)
    points = [(10 ** chance.uniform(0.2, 2.8), chance.uniform(5, 95)) for _ in range(15)]
    with style():
        axes = panel()
        naming.beside(axes, named(points))
        boxes = written(axes)
        marks = axes.transData.transform(points)
    assert len(boxes) == 15
    cores = [box.shrunk(0.96, 0.8) for box in boxes]
    assert not any(one.overlaps(other) for one, other in itertools.combinations(cores, 2))
    assert not [point for point in marks for box in boxes if box.contains(*point)]


@pytest.mark.parametrize("seed", range(5))
def test_a_name_is_nearest_to_its_own_mark_or_has_a_line_to_it(seed: int) -> None:
    chance = random.Random(seed)
    points = [(10 ** chance.uniform(1.2, 2.2), chance.uniform(5, 40)) for _ in range(12)]
    with style():
        axes = panel()
        naming.beside(axes, named(points))
        boxes = written(axes)
        marks = axes.transData.transform(points)
    for index, (box, text) in enumerate(zip(boxes, axes.texts, strict=True)):
        away = [
            math.hypot(max(box.x0 - x, x - box.x1, 0.0), max(box.y0 - y, y - box.y1, 0.0)) for x, y in marks.tolist()
        ]
        assert text.arrow_patch is not None or away.index(min(away)) == index


def test_names_stay_within_the_panel_and_off_lines() -> None:
    with style():
        axes = panel()
        naming.beside(axes, named([(999, 99)]))
        naming.beside(axes, named([(30, 50)]), [((30, 50), (1000, 50))])
        corner, middle = written(axes)
        assert axes.bbox.x1 >= corner.x1 and axes.bbox.y1 >= corner.y1
        height = axes.transData.transform((30, 50))[1]
    assert not middle.y0 < height < middle.y1 or middle.x1 < axes.transData.transform((30, 50))[0]


def test_what_lies_below_the_panel_has_no_name() -> None:
    axes = panel()
    naming.beside(axes, named([(30, -5), (30, 5)]))
    assert [text.get_text() for text in axes.texts] == ["Method-1"]


@pytest.mark.parametrize("heights", [[50.0] * 9, [0.0, 0.1, 0.2], [100.0, 99.9], [10.0, 50.0, 90.0]])
def test_names_at_ends_are_a_line_apart_in_the_order_of_the_lines(heights: list[float]) -> None:
    with style():
        axes = panel()
        naming.at_ends(axes, [naming.End(1000, y, f"M{i}", "black") for i, y in enumerate(heights)])
        boxes = written(axes)
        line = naming.LINE * axes.get_figure(root=True).dpi
        middles = [(box.y0 + box.y1) / 2 for box in boxes]
        ordered = sorted(middles)
        assert all(above - below > 0.98 * line for below, above in itertools.pairwise(ordered))
        pairs = itertools.combinations(zip(heights, middles, strict=True), 2)
        assert all((a < b) == (x < y) for (a, x), (b, y) in pairs if a != b)
        assert axes.bbox.y0 - line < ordered[0] and ordered[-1] < axes.bbox.y1 + line
        if heights == [10.0, 50.0, 90.0]:  # with room enough each name is as high as its line
            assert middles == pytest.approx(list(axes.transData.transform([(1000, y) for y in heights])[:, 1]), abs=1.5)
