from pathlib import Path

from harness.reporting.figures.efficiency import efficiency
from harness.reporting.figures.look import looks
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.store.records import Seconds
from tests import factory


def test_front_is_that_of_the_methods(tmp_path: Path) -> None:
    points = {"scratch": (1.0, 99.0), "a": (2.0, 70.0), "b": (4.0, 65.0), "c": (8.0, 90.0)}
    for label, (time, final) in points.items():
        seconds = Seconds(startup=0.0, synthesis=0.0, distillation=time, evaluation=0.0)
        factory.write(tmp_path, factory.metrics(label, 10.0, 0, final=final, seconds=seconds))
    rows = group(load(tmp_path))
    figure = efficiency(rows, looks(rows))
    assert figure is not None
    front = next(line for line in figure.axes[0].lines if line.get_label() == "Pareto front")
    assert list(front.get_xdata()) == [2.0, 8.0]
    assert list(front.get_ydata()) == [70.0, 90.0]


def test_a_reference_far_below_is_cut_and_named(tmp_path: Path) -> None:
    for label, final in (("kd-noise", 12.0), ("a", 88.0), ("b", 90.0)):
        factory.write(tmp_path, factory.metrics(label, 10.0, 0, final=final))
    rows = group(load(tmp_path))
    figure = efficiency(rows, looks(rows))
    assert figure is not None
    assert "below: kd-noise 12" in [text.get_text() for text in figure.axes[0].texts]
    assert figure.axes[0].get_ylim()[0] > 80
