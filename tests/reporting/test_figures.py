from pathlib import Path

import pytest
from matplotlib.figure import Figure

from harness.records import Seconds
from harness.reporting import figures, samples, synthetic
from harness.reporting.cells import Cell, group
from harness.reporting.frame import curves, load
from harness.reporting.look import GREYS, looks
from harness.reporting.real import against_real
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


def test_a_methods_few_labels_share_a_colour(tmp_path: Path) -> None:
    for label, method in (("a-1", "a"), ("a-2", "a"), ("b", "b"), *((f"c-{i}", "c") for i in range(9))):
        factory.write(tmp_path, factory.metrics(label, method=method))
    styles = looks(group(load(tmp_path)))
    assert styles["a-1"].colour == styles["a-2"].colour != styles["b"].colour
    assert styles["a-1"].dash != styles["a-2"].dash
    variants = [styles[f"c-{i}"] for i in range(9)]
    assert len({look.marker for look in variants}) == 9
    assert len({(look.colour, look.dash) for look in styles.values()}) == 12


def real_study(results: Path, scales: tuple[float, ...]) -> list[Cell]:
    """Seed 1 of the reference is missing: it must not count in the difference."""
    finals = {"kd-real": (80.0, None, 90.0), "kd-noise": (10.0, 10.0, 10.0), "a": (85.0, 99.0, 99.0)}
    for label, values in finals.items():
        for seed, final in enumerate(values):
            for scale in scales:
                if final is not None:
                    synthesised = 130 if label == "kd-real" else 5000
                    cell = factory.metrics(label, scale, seed, final=final, images_synthesised=synthesised)
                    factory.write(results, cell)
    return group(load(results))


def test_synthetic_against_real_at_equal_n(tmp_path: Path) -> None:
    cells = real_study(tmp_path, (100.0, 10.0))
    figure = against_real(cells, looks(cells))
    assert figure is not None
    assert legend(figure) == ["kd-real", "a", "more than N synthesised"]
    accuracy, gain = figure.axes
    assert [tick.get_text() for tick in accuracy.get_xticklabels()] == ["130", "1297"]
    method = next(line for line in gain.lines if line.get_marker() == looks(cells)["a"].marker)
    assert list(method.get_xdata()) == [130, 1297]
    assert list(method.get_ydata()) == [7.0, 7.0]  # 85 - 80 and 99 - 90
    assert method.get_markerfacecolor() == "white"


def test_synthetic_against_real_at_one_n_has_a_row_per_label(tmp_path: Path) -> None:
    cells = real_study(tmp_path, (10.0,))
    figure = against_real(cells, looks(cells))
    assert figure is not None
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["kd-real", "a"]


def test_without_real_images_there_is_nothing_to_compare(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics("a"))
    factory.write(tmp_path, factory.metrics("kd-noise"))
    cells = group(load(tmp_path))
    assert against_real(cells, looks(cells)) is None


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
    assert line.get_markevery() == [-1]
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
    balance = figure.axes[0]
    heights = balance.patches[0].get_data().values
    assert heights[0] / heights[1] == pytest.approx(0.625 / 0.375)
    even, tick = balance.lines[-1].get_ydata()[0], balance.get_yticks()[0]
    assert even == tick == pytest.approx(heights[0] * 0.5 / 0.625)
    assert [label.get_text() for label in balance.get_yticklabels()] == ["50 %"]
    assert {"a", "38–62 %"} <= {text.get_text() for text in balance.texts}
    assert "scratch" not in [text.get_text() for text in balance.texts]


def test_histograms_of_all_labels_have_the_same_axes(tmp_path: Path) -> None:
    counts = {"a": [40, 0], "b": [20, 20]}
    bins = {"a": [1000] + [0] * 19, "b": [10] + [0] * 18 + [990]}  # shares 1, and 0.01 and 0.99
    for label in counts:
        factory.write(tmp_path, factory.metrics(label, class_counts=counts[label], difficulty=bins[label]))
    cells = group(load(tmp_path))
    figure = synthetic.histograms(cells, looks(cells))
    assert figure is not None
    balance, hard = figure.axes
    lower, upper = (patch.get_data().values for patch in balance.patches)  # b below a, each from its own base
    assert list(lower) == pytest.approx([synthetic.FULL / 2] * 2)
    assert list(upper - 1) == pytest.approx([synthetic.FULL, 0])
    first, last = hard.patches[0].get_data().values[[0, -1]]
    assert first == pytest.approx(synthetic.FULL / 3)  # 1 % is a third of the way from 0.1 % to 100 %
    assert last == pytest.approx(synthetic.FULL, rel=1e-2)
    assert {"mean 0.03", "mean 0.97"} <= {text.get_text() for text in hard.texts}


def test_a_damaged_sample_sheet_falls_back_to_the_next_seed(tmp_path: Path) -> None:
    for seed in range(2):
        factory.write(tmp_path, factory.metrics("a", 10.0, seed))
    for path in sorted(tmp_path.rglob("samples.png"))[:1]:
        path.write_bytes(b"not a picture")
    cells = group(load(tmp_path))
    assert samples.samples(cells) is not None
    for path in tmp_path.rglob("samples.png"):
        path.unlink()
    assert samples.samples(cells) is None


def test_nothing_done_nothing_drawn(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics(status="failed", final=None))
    frame = load(tmp_path)
    cells = group(frame)
    assert figures.scale(cells, {}) is None
    assert figures.efficiency(cells, {}) is None
    assert figures.learning(cells, curves(frame), {}) is None
    assert synthetic.histograms(synthetic.focus(cells), {}) is None
