from pathlib import Path

from matplotlib.figure import Figure

from harness.reporting.figures.look import looks
from harness.reporting.figures.real import against_real
from harness.reporting.rows import Row, group
from harness.reporting.runs import load
from tests import factory


def legend(figure: Figure) -> list[str]:
    return [entry.get_text() for entry in figure.legends[0].get_texts()]


def real_study(results: Path, scales: tuple[float, ...]) -> list[Row]:
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
    rows = real_study(tmp_path, (100.0, 10.0))
    figure = against_real(rows, looks(rows))
    assert figure is not None
    assert legend(figure) == ["more than N synthesised"]
    assert [[text.get_text() for text in panel.texts] for panel in figure.axes] == [[], ["KD-real", "a"]]
    accuracy, gain = figure.axes
    assert [tick.get_text() for tick in accuracy.get_xticklabels()] == ["130", "1297"]
    method = next(line for line in gain.lines if line.get_marker() == looks(rows)["a"].marker)
    assert list(method.get_xdata()) == [130, 1297]
    assert list(method.get_ydata()) == [7.0, 7.0]  # 85 - 80 and 99 - 90
    assert method.get_markerfacecolor() == "white"


def test_synthetic_against_real_at_one_n_has_a_row_per_label(tmp_path: Path) -> None:
    rows = real_study(tmp_path, (10.0,))
    figure = against_real(rows, looks(rows))
    assert figure is not None
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["KD-real", "a"]


def test_without_real_images_there_is_nothing_to_compare(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics("a"))
    factory.write(tmp_path, factory.metrics("kd-noise"))
    rows = group(load(tmp_path))
    assert against_real(rows, looks(rows)) is None


def test_a_figure_that_needs_no_legend_has_none(tmp_path: Path) -> None:
    """One N, and no method that made more images than it holds: there is nothing to explain."""
    for label in ("kd-real", "a"):
        factory.write(tmp_path, factory.metrics(label, 10.0, images_synthesised=130))
    rows = group(load(tmp_path))
    figure = against_real(rows, looks(rows))
    assert figure is not None
    assert not figure.legends
