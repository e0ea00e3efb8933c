from pathlib import Path

import pytest
from matplotlib.figure import Figure

from harness.reporting.figures.look import looks
from harness.reporting.figures.scale import scale
from harness.reporting.rows import Row, group
from harness.reporting.runs import load
from harness.store.records import Seconds
from tests import factory


@pytest.fixture
def rows(results: Path) -> list[Row]:
    return group(load(results))


def legend(figure: Figure) -> list[str]:
    return [entry.get_text() for entry in figure.legends[0].get_texts()]


def test_scale_has_a_line_per_label_and_ticks_at_the_scales(rows: list[Row]) -> None:
    figure = scale(rows, looks(rows))
    assert figure is not None
    assert legend(figure) == ["teacher", "machine overloaded"]
    for panel in figure.axes:
        assert {text.get_text() for text in panel.texts} == {"Scratch", "fast-2", "fast-10", "SSD-KD"}
    assert list(figure.axes[0].get_xticks()) == [1.0, 10.0, 100.0]
    assert figure.axes[1].get_yscale() == "log"


def test_one_scale_puts_labels_in_place_of_scales(rows: list[Row]) -> None:
    one = [row for row in rows if row.scale == 10.0]
    figure = scale(one, looks(rows))
    assert figure is not None
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["Scratch", "fast-2", "fast-10", "SSD-KD"]


def test_labels_of_one_scale_are_left_out_beside_those_of_several(rows: list[Row]) -> None:
    some = [row for row in rows if row.label in ("fast-2", "ssd-kd") or row.scale == 10.0]
    figure = scale(some, looks(rows))
    assert figure is not None
    for panel in figure.axes:
        assert {text.get_text() for text in panel.texts} == {"fast-2", "SSD-KD"}


@pytest.mark.parametrize("scales", [(10.0,), (10.0, 100.0)])
def test_costs_are_those_of_equally_fast_machines(tmp_path: Path, scales: tuple[float, ...]) -> None:
    for at in scales:
        for label, working, slowness in (("a", 20.0, (2.0, 2.0)), ("b", 30.0, (1.0,))):
            for seed, slow in enumerate(slowness):
                spent = Seconds(startup=0.0, synthesis=working * slow, distillation=0.0, evaluation=9.0 * slow)
                factory.write(tmp_path, factory.metrics(label, at, seed, seconds=spent))
    rows = group(load(tmp_path))
    figure = scale(rows, looks(rows))
    assert figure is not None
    lines = [(line.get_xdata(), line.get_ydata())[len(scales) > 1] for line in figure.axes[1].lines]
    assert [set(line) for line in lines] == [{40.0}, {60.0}]  # spent: 40 and 30
