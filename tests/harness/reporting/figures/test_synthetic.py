from pathlib import Path

import pytest

from harness.reporting.figures import synthetic
from harness.reporting.figures.look import looks
from harness.reporting.rows import Row, group
from harness.reporting.runs import load
from tests import factory


@pytest.fixture
def rows(results: Path) -> list[Row]:
    return group(load(results))


def test_synthetic_images_are_shown_at_the_scale_nearest_to_ten_percent(rows: list[Row]) -> None:
    assert {row.scale for row in synthetic.focus(rows)} == {10.0}
    assert {row.scale for row in synthetic.focus([row for row in rows if row.scale != 10.0])} <= {1.0, 100.0}
    assert synthetic.focus([]) == []


def test_histograms_show_shares(tmp_path: Path) -> None:
    for seed, counts in enumerate(([30, 10], [10, 10])):  # shares 3/4 and 1/4, 1/2 and 1/2
        factory.write(tmp_path, factory.metrics("a", 10.0, seed, class_counts=counts))
    factory.write(tmp_path, factory.metrics("scratch", class_counts=None, difficulty=None))
    rows = group(load(tmp_path))
    figure = synthetic.histograms(rows, looks(rows))
    assert figure is not None
    balance = figure.axes[0]
    heights = balance.patches[0].get_data().values
    assert heights[0] / heights[1] == pytest.approx(0.625 / 0.375)
    even, tick = balance.lines[-1].get_ydata()[0], balance.get_yticks()[0]
    assert even == tick == pytest.approx(heights[0] * 0.5 / 0.625)
    assert [label.get_text() for label in balance.get_yticklabels()] == ["50 %"]
    assert {"a", "38–62 %"} <= {text.get_text() for text in balance.texts}
    assert "scratch" not in [text.get_text() for text in balance.texts]


@pytest.mark.parametrize(
    ("names", "shown"), [(["cat", "$dog$"], ["cat", "$dog$"]), ([f"c{i}" for i in range(21)], None)]
)
def test_classes_bear_their_names(tmp_path: Path, names: list[str], shown: list[str] | None) -> None:
    """As long as they can be read: twenty of them."""
    factory.write(tmp_path, factory.metrics("a", class_counts=[10] * len(names), class_names=names))
    rows = group(load(tmp_path))
    figure = synthetic.histograms(rows, looks(rows))
    assert figure is not None
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert ticks == shown if shown else not set(ticks) & set(names)


def test_histograms_of_all_labels_have_the_same_axes(tmp_path: Path) -> None:
    counts = {"a": [40, 0], "b": [20, 20]}
    bins = {"a": [1000] + [0] * 19, "b": [10] + [0] * 18 + [990]}  # shares 1, and 0.01 and 0.99
    for label in counts:
        factory.write(tmp_path, factory.metrics(label, class_counts=counts[label], difficulty=bins[label]))
    rows = group(load(tmp_path))
    figure = synthetic.histograms(rows, looks(rows))
    assert figure is not None
    balance, hard = figure.axes
    lower, upper = (patch.get_data().values for patch in balance.patches)  # b below a, each from its own base
    assert list(lower) == pytest.approx([synthetic.FULL / 2] * 2)
    assert list(upper - 1) == pytest.approx([synthetic.FULL, 0])
    first, last = hard.patches[0].get_data().values[[0, -1]]
    assert first == pytest.approx(synthetic.FULL / 3)  # 1 % is a third of the way from 0.1 % to 100 %
    assert last == pytest.approx(synthetic.FULL, rel=1e-2)
    assert {"mean 0.03", "mean 0.97"} <= {text.get_text() for text in hard.texts}
