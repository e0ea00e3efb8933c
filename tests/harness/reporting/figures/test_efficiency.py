from pathlib import Path

import pytest
from matplotlib.figure import Figure

from harness.reporting.figures.efficiency import efficiency, operations
from harness.reporting.figures.look import looks
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.store.records import Flops, Seconds
from tests import factory


def drawn(figure: Figure, panel: int = 0) -> tuple[list[float], list[float]]:
    line = next(line for line in figure.axes[panel].lines if line.get_label() == "Pareto front")
    return list(line.get_xdata()), list(line.get_ydata())


def write(results: Path, label: str, scale: float, cost: float, final: float, seed: int = 0, wall: float = 1.0) -> None:
    cpu = Seconds(startup=0.0, synthesis=0.0, distillation=cost, evaluation=0.0)
    seconds = cpu.model_copy(update={"distillation": wall * cost})
    factory.write(results, factory.metrics(label, scale, seed, final=final, seconds=seconds, cpu_seconds=cpu))


def test_a_front_per_scale(tmp_path: Path) -> None:
    for scale, shift in ((100.0, 0.0), (10.0, 1.0)):
        for label, cost, final in (("scratch", 1.0, 99.0), ("a", 2.0, 70.0), ("b", 4.0, 65.0), ("c", 8.0, 90.0)):
            write(tmp_path, label, scale, cost + shift, final)
    rows = group(load(tmp_path))
    figure = efficiency(rows, looks(rows))
    assert figure is not None
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["100 % data", "10 % data"]
    assert drawn(figure, 0) == ([2.0, 8.0, 8.0], [70.0, 70.0, 90.0])
    assert drawn(figure, 1) == ([3.0, 9.0, 9.0], [70.0, 70.0, 90.0])


def test_bars_reach_from_the_lowest_to_the_highest_seed(tmp_path: Path) -> None:
    for seed, (cost, final) in enumerate([(2.0, 80.0), (3.0, 90.0), (7.0, 91.0)]):
        write(tmp_path, "a", 10.0, cost, final, seed)
    rows = group(load(tmp_path))
    figure = efficiency(rows, looks(rows))
    assert figure is not None
    ends = [segment.tolist() for bars in figure.axes[0].collections for segment in bars.get_segments()]
    assert ends == [[[2.0, 87.0], [7.0, 87.0]], [[4.0, 80.0], [4.0, 91.0]]]


@pytest.mark.parametrize("costs", [(1317.5, 1318.2), (2.0, 2.0), (0.051, 0.07)])
def test_nearly_equal_costs_look_equal(tmp_path: Path, costs: tuple[float, ...]) -> None:
    for seed, cost in enumerate(costs):
        write(tmp_path, "a", 10.0, cost, 80.0 + seed, seed)
    rows = group(load(tmp_path))
    figure = efficiency(rows, looks(rows))
    assert figure is not None
    figure.canvas.draw()
    axes = figure.axes[0]
    low, high = axes.get_xlim()
    assert high / low > 1.99
    assert sum(low <= place <= high for place in axes.get_xticks()) >= 2


def test_points_stand_at_costs_of_equally_fast_machines(tmp_path: Path) -> None:
    for label, working, slowness in (("a", 20.0, (2.0, 2.0)), ("b", 30.0, (1.0,))):
        for seed, slow in enumerate(slowness):
            spent = Seconds(startup=0.0, synthesis=working * slow, distillation=0.0, evaluation=9.0 * slow)
            factory.write(tmp_path, factory.metrics(label, seed=seed, final=80.0 + len(slowness), seconds=spent))
    rows = group(load(tmp_path))
    figure = efficiency(rows, looks(rows))
    assert figure is not None
    marks = {line.get_marker(): line.get_xdata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 1}
    styles = looks(rows)
    assert (marks[styles["a"].marker], marks[styles["b"].marker]) == (40.0, 60.0)  # spent: 40 and 30


def test_an_overloaded_machine_is_on_the_front_where_evaluations_tell_how_slow_it_was(tmp_path: Path) -> None:
    for label, working, slow, final, wall in (("a", 20.0, 1.0, 70.0, 1.0), ("b", 15.0, 2.0, 80.0, 3.0)):
        cpu = Seconds(startup=0.0, synthesis=working * slow, distillation=0.0, evaluation=9.0 * slow)
        seconds = cpu.model_copy(update={"synthesis": wall * cpu.synthesis})
        factory.write(tmp_path, factory.metrics(label, final=final, seconds=seconds, cpu_seconds=cpu))
    rows = group(load(tmp_path))
    figure = efficiency(rows, looks(rows))
    assert figure is not None
    # b spent 30 s, and 22.5 at the middle of both speeds, where a's 20 are 30
    assert [bool(row.overloaded) for row in rows] == [False, True]
    assert drawn(figure) == ([22.5], [80.0])


def test_an_overloaded_machine_is_hollow_and_off_the_front_unless_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "a", 10.0, 2.0, 70.0)
    write(tmp_path, "b", 10.0, 1.0, 80.0, wall=3.0)
    rows = group(load(tmp_path))
    styles = looks(rows)
    left_out, asked = efficiency(rows, styles), efficiency(rows, styles, overloaded=True)
    assert left_out is not None
    assert asked is not None
    assert (drawn(left_out), drawn(asked)) == (([2.0], [70.0]), ([1.0], [80.0]))
    for figure, face in ((left_out, "white"), (asked, styles["b"].colour)):
        marks = [line for line in figure.axes[0].lines if line.get_marker() == styles["b"].marker]
        assert [mark.get_markerfacecolor() for mark in marks] == [face]
    named = [entry.get_text() for entry in left_out.legends[0].get_texts()]
    assert "machine overloaded" in named
    assert "machine overloaded" not in [entry.get_text() for entry in asked.legends[0].get_texts()]


def test_operations_are_a_cost_of_their_own(tmp_path: Path) -> None:
    for label, work, final in (("a", 3, 70.0), ("b", 5, 90.0)):
        flops = Flops(synthesis=work * 10**12, distillation=10**12)
        factory.write(tmp_path, factory.metrics(label, flops=flops, final=final))
    factory.write(tmp_path, factory.metrics("uncounted", flops=None))
    rows = group(load(tmp_path))
    figure = operations(rows, looks(rows))
    assert figure is not None
    assert figure.axes[0].get_xlabel() == "operations (TFLOP)"
    assert drawn(figure) == ([4.0, 6.0, 6.0], [70.0, 70.0, 90.0])
    assert operations([row for row in rows if row.label == "uncounted"], looks(rows)) is None


def test_a_reference_far_below_is_cut_and_named(tmp_path: Path) -> None:
    for label, final in (("kd-noise", 12.0), ("a", 88.0), ("b", 90.0)):
        factory.write(tmp_path, factory.metrics(label, 10.0, 0, final=final))
    rows = group(load(tmp_path))
    figure = efficiency(rows, looks(rows))
    assert figure is not None
    assert "below: KD-noise 12" in [text.get_text() for text in figure.axes[0].texts]
    assert figure.axes[0].get_ylim()[0] > 80


def test_a_floor_far_below_does_not_press_the_points_together(tmp_path: Path) -> None:
    for label, final in (("a", 88.0), ("b", 90.0)):
        write(tmp_path, label, 10.0, final, final)
    rows = group(load(tmp_path))
    figure = efficiency(rows, looks(rows))
    assert figure is not None
    assert figure.axes[0].get_ylim()[0] > 80
    assert "below: guesses reach 10.5" in [text.get_text() for text in figure.axes[0].texts]
    assert len(figure.axes[0].get_xticks()) <= 8


@pytest.mark.parametrize("final", [10.0, 50.0])
def test_a_front_is_named_only_where_there_is_one(final: float, tmp_path: Path) -> None:
    """Ten per cent is what chance gives with the factory's ten classes."""
    write(tmp_path, "a", 10.0, 2.0, final)
    rows = group(load(tmp_path))
    figure = efficiency(rows, looks(rows))
    assert figure is not None
    named = [entry.get_text() for entry in figure.legends[0].get_texts()]
    assert ("Pareto front" in named) == (final > 10.0)
