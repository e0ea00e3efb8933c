from pathlib import Path

import pytest

from harness.reporting.figures.look import looks
from harness.reporting.page.charts import Chart, charts
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.settings import settings
from harness.store.records import Seconds
from tests import factory

PLACE = "toy/digits/wrn10_1--cnn3_16/scale-10"


def drawn(results: Path) -> dict[str, Chart]:
    rows = group(load(results))
    (setting,) = settings(rows)
    return charts(setting, looks(rows))


def test_a_point_for_each_row_at_its_mean_cost(tmp_path: Path) -> None:
    for label, working in (("slow", 40.0), ("quick", 20.0)):
        for seed in range(2):
            spent = Seconds(startup=1.0, synthesis=working + seed, distillation=0.0, evaluation=9.0)
            factory.write(tmp_path, factory.metrics(label, seed=seed, final=80.0 + seed, seconds=spent))
    chart = drawn(tmp_path)[f"efficiency/{PLACE}"]
    assert chart["x"] == [21.5, 41.5]
    assert {each["name"]: each["values"] for each in chart["series"]} == {"quick": [80.5, None], "slow": [None, 80.5]}
    slow = next(each for each in chart["series"] if each["name"] == "slow")
    assert (slow["across"], slow["along"]) == ([41.0, 41.5, 42.0], [80.0, 80.5, 81.0])
    assert {each["name"]: each["ringed"] for each in chart["series"]} == {"quick": True, "slow": False}
    assert chart["floor"] == {"name": "chance", "value": 10.5}
    assert (chart["across"], chart["along"]) == ("end-to-end cost (CPU s)", "top-1 (%)")


def test_points_stand_at_costs_of_equally_fast_machines(tmp_path: Path) -> None:
    for label, working, slowness in (("a", 20.0, (2.0, 2.0)), ("b", 30.0, (1.0,))):
        for seed, slow in enumerate(slowness):
            spent = Seconds(startup=0.0, synthesis=working * slow, distillation=0.0, evaluation=9.0 * slow)
            factory.write(tmp_path, factory.metrics(label, seed=seed, seconds=spent))
    assert drawn(tmp_path)[f"efficiency/{PLACE}"]["x"] == [40.0, 60.0]  # spent: 40 and 30


def test_a_curve_has_at_every_cost_what_was_reached_by_then(tmp_path: Path) -> None:
    spent = Seconds(startup=2.0, synthesis=98.0, distillation=0.0, evaluation=0.0)
    factory.write(tmp_path, factory.metrics(final=90.0, seconds=spent))  # at 26.5, 51, 75.5, 100: 70, 80, 91, 90
    chart = drawn(tmp_path)[f"learning/{PLACE}"]
    (series,) = chart["series"]
    reached = dict(zip(chart["x"], series["values"], strict=True))
    assert (min(reached), max(reached)) == (26.5, 100.0)
    for cost, value in reached.items():
        assert value == (70.0 if cost < 51 else 80.0 if cost < 75.5 else 91.0 if cost < 100 else 90.0), cost


def test_a_curve_ends_where_its_run_does(tmp_path: Path) -> None:
    for label, working in (("short", 8.0), ("long", 98.0)):
        spent = Seconds(startup=2.0, synthesis=working, distillation=0.0, evaluation=0.0)
        factory.write(tmp_path, factory.metrics(label, seconds=spent))
    chart = drawn(tmp_path)[f"learning/{PLACE}"]
    short = next(each["values"] for each in chart["series"] if each["name"] == "short")
    ended = [cost for cost, value in zip(chart["x"], short, strict=True) if value is not None]
    assert min(ended) == pytest.approx(4.0, rel=1e-3)
    assert max(ended) == pytest.approx(10.0, rel=0.05)


def test_nothing_is_drawn_of_what_is_not_done(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics(status="failed", reason="no", final=None, best=None))
    assert drawn(tmp_path) == {}
