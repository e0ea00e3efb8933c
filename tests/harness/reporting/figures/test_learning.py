from pathlib import Path

from harness.reporting.figures.learning import learning
from harness.reporting.figures.look import looks
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.store.records import Seconds
from tests import factory


def test_learning_curve_is_the_mean_over_seeds(tmp_path: Path) -> None:
    for seed, final in enumerate((80.0, 90.0)):
        factory.write(tmp_path, factory.metrics("a", 10.0, seed, final=final), factory.events(3, final))
    rows = group(load(tmp_path))
    figure = learning(rows, looks(rows))
    assert figure is not None
    (line,) = figure.axes[0].lines
    assert line.get_markevery() == [-1]
    assert list(line.get_xdata()) == [6.0, 9.0, 12.0]
    assert list(line.get_ydata()) == [65.0, 75.0, 85.0]


def test_curves_end_at_costs_of_equally_fast_machines(tmp_path: Path) -> None:
    for label, working, slowness in (("a", 20.0, (2.0, 2.0)), ("b", 30.0, (1.0,))):
        for seed, slow in enumerate(slowness):
            spent = Seconds(startup=0.0, synthesis=working * slow, distillation=0.0, evaluation=9.0 * slow)
            factory.write(tmp_path, factory.metrics(label, seed=seed, seconds=spent))
    rows = group(load(tmp_path))
    figure = learning(rows, looks(rows))
    assert figure is not None
    assert [line.get_xdata()[-1] for line in figure.axes[0].lines] == [40.0, 60.0]  # spent: 40 and 30
