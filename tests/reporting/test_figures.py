from pathlib import Path

import pytest
from matplotlib.figure import Figure

from harness.records import Seconds
from harness.reporting import figures, synthetic
from harness.reporting.cells import Cell, group
from harness.reporting.frame import curves, load
from harness.reporting.look import GREYS, looks
from tests import factory


@pytest.fixture
def cells(results: Path) -> list[Cell]:
    return group(load(results))


def legend(figure: Figure) -> list[str]:
    return [entry.get_text() for entry in figure.legends[0].get_texts()]


def test_a_label_looks_the_same_everywhere_and_like_no_other(tmp_path: Path) -> None:
    for index in range(30):
        factory.write(tmp_path, factory.metrics(f"method-{index}"))
    factory.write(tmp_path, factory.metrics("scratch"))
    styles = looks(group(load(tmp_path)))
    assert len(set(styles.values())) == 31
    assert styles["scratch"].colour in GREYS
    assert styles["scratch"].dash != "-"


def test_scale_has_a_line_per_label_and_ticks_at_the_scales(cells: list[Cell]) -> None:
    figure = figures.scale(cells, looks(cells))
    assert figure is not None
    assert legend(figure) == ["scratch", "fast-2", "fast-10", "ssd-kd", "teacher"]
    assert list(figure.axes[0].get_xticks()) == [1.0, 10.0, 100.0]
    assert figure.axes[1].get_yscale() == "log"


def test_one_scale_puts_labels_in_place_of_scales(cells: list[Cell]) -> None:
    one = [cell for cell in cells if cell.scale == 10.0]
    figure = figures.scale(one, looks(cells))
    assert figure is not None
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["scratch", "fast-2", "fast-10", "ssd-kd"]


def test_front_is_that_of_the_methods(tmp_path: Path) -> None:
    points = {"scratch": (1.0, 99.0), "a": (2.0, 70.0), "b": (4.0, 65.0), "c": (8.0, 90.0)}
    for label, (time, final) in points.items():
        seconds = Seconds(startup=0.0, synthesis=0.0, distillation=time, evaluation=0.0)
        factory.write(tmp_path, factory.metrics(label, 10.0, 0, final=final, seconds=seconds))
    cells = group(load(tmp_path))
    figure = figures.efficiency(cells, looks(cells))
    assert figure is not None
    front = next(line for line in figure.axes[0].lines if line.get_label() == "Pareto front")
    assert list(front.get_xdata()) == [2.0, 8.0]
    assert list(front.get_ydata()) == [70.0, 90.0]


def test_a_reference_far_below_is_cut_and_named(tmp_path: Path) -> None:
    for label, final in (("kd-noise", 12.0), ("a", 88.0), ("b", 90.0)):
        factory.write(tmp_path, factory.metrics(label, 10.0, 0, final=final))
    cells = group(load(tmp_path))
    figure = figures.efficiency(cells, looks(cells))
    assert figure is not None
    assert "below: kd-noise 12" in [text.get_text() for text in figure.axes[0].texts]
    assert figure.axes[0].get_ylim()[0] > 80


def test_learning_curve_is_the_mean_over_seeds(tmp_path: Path) -> None:
    for seed, final in enumerate((80.0, 90.0)):
        factory.write(tmp_path, factory.metrics("a", 10.0, seed, final=final), factory.events(3, final))
    frame = load(tmp_path)
    cells = group(frame)
    figure = figures.learning(cells, curves(frame), looks(cells))
    assert figure is not None
    (line,) = figure.axes[0].lines
    assert list(line.get_xdata()) == [6.0, 9.0, 12.0]
    assert list(line.get_ydata()) == [65.0, 75.0, 85.0]


def test_synthetic_images_are_shown_at_the_scale_nearest_to_ten_percent(cells: list[Cell]) -> None:
    assert {cell.scale for cell in synthetic.focus(cells)} == {10.0}
    assert {cell.scale for cell in synthetic.focus([c for c in cells if c.scale != 10.0])} <= {1.0, 100.0}
    assert synthetic.focus([]) == []


def test_histograms_show_shares(tmp_path: Path) -> None:
    for seed, counts in enumerate(([30, 10], [10, 10])):  # shares 3/4 and 1/4, 1/2 and 1/2
        factory.write(tmp_path, factory.metrics("a", 10.0, seed, class_counts=counts))
    factory.write(tmp_path, factory.metrics("scratch", class_counts=None, difficulty=None))
    cells = group(load(tmp_path))
    figure = synthetic.histograms(cells, looks(cells))
    assert figure is not None
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["a"]
    heights = figure.axes[0].patches[0].get_data().values
    assert heights[0] / heights[1] == pytest.approx(0.625 / 0.375)


def test_a_damaged_sample_sheet_falls_back_to_the_next_seed(tmp_path: Path) -> None:
    for seed in range(2):
        factory.write(tmp_path, factory.metrics("a", 10.0, seed))
    for path in sorted(tmp_path.rglob("samples.png"))[:1]:
        path.write_bytes(b"not a picture")
    cells = group(load(tmp_path))
    assert synthetic.samples(cells) is not None
    for path in tmp_path.rglob("samples.png"):
        path.unlink()
    assert synthetic.samples(cells) is None


def test_nothing_done_nothing_drawn(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics(status="failed", final=None))
    frame = load(tmp_path)
    cells = group(frame)
    assert figures.scale(cells, {}) is None
    assert figures.efficiency(cells, {}) is None
    assert figures.learning(cells, curves(frame), {}) is None
    assert synthetic.histograms(synthetic.focus(cells), {}) is None
