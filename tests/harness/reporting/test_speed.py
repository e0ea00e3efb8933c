"""Costs on machines of different speed, against ratios calculated by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.commands.compare import methods
from harness.reporting import speed
from harness.reporting.leaderboard import board
from harness.reporting.profiles import profiles
from harness.reporting.quantities import COST
from harness.reporting.rows import Row, group
from harness.reporting.runs import load
from harness.reporting.settings import settings
from harness.store.records import Seconds
from tests import factory
from tests.harness.reporting.test_leaderboard import row


def write(results: Path, label: str, seconds: float, slowness: tuple[float, ...], evaluation: float = 3.0) -> None:
    """Seeds of a label that take ``seconds``, on machines of which some are slower; three evaluations each."""
    for seed, slow in enumerate(slowness):
        spent = Seconds(startup=0.0, synthesis=seconds * slow, distillation=0.0, evaluation=3 * evaluation * slow)
        factory.write(results, factory.metrics(label, seed=seed, final=80.0, seconds=spent))


def rows(results: Path) -> dict[str, Row]:
    return {row.label: row for row in group(load(results))}


def test_the_cheapest_is_not_whoever_met_the_fast_machine(tmp_path: Path) -> None:
    write(tmp_path, "fast-2", 100.0, (2.0, 2.0, 2.0))
    write(tmp_path, "dafl", 150.0, (1.0,))
    (setting,) = settings(group(load(tmp_path)))
    standings = {standing.label: standing for standing in board(setting).methods}
    assert standings["fast-2"].times == pytest.approx(1.0)
    assert standings["dafl"].times == pytest.approx(1.5)
    # The usual machine, by the median of the four, is the slow one.
    found = rows(tmp_path)
    cost = speed.cost(list(found.values()))
    assert (found["fast-2"].summary(cost).mean, found["dafl"].summary(cost).mean) == pytest.approx((200.0, 300.0))


@pytest.mark.parametrize(("slowness", "marked"), [((1.0, 2.0), False), ((1.0, 1.0), True)])
def test_a_cost_that_evaluations_make_fair_is_not_marked_as_overloaded(
    tmp_path: Path, slowness: tuple[float, float], marked: bool
) -> None:
    for seed, slow in enumerate(slowness):
        spent = Seconds(startup=0.0, synthesis=100 * slow, distillation=0.0, evaluation=9 * slow)
        waited = spent.model_copy(update={"synthesis": 300 * slow})
        factory.write(tmp_path, factory.metrics("a", seed=seed, final=80.0, seconds=waited, cpu_seconds=spent))
    (setting,) = settings(group(load(tmp_path)))
    assert [standing.overloaded for standing in board(setting).methods] == [marked]


def test_the_spread_of_seeds_is_the_methods_own(tmp_path: Path) -> None:
    write(tmp_path, "a", 100.0, (1.0, 2.0, 4.0))
    (own,) = rows(tmp_path).values()
    assert own.summary(COST).sd == pytest.approx(152.7525, abs=1e-3)
    summary = own.summary(speed.cost([own]))
    assert (summary.mean, summary.sd) == pytest.approx((200.0, 0.0))


@pytest.mark.parametrize(
    ("slowness", "evaluation", "device"),
    [((1.0, 1.4), 3.0, "cpu"), ((1.0, 2.0), 0.05, "cpu"), ((1.0, 2.0), 3.0, "cuda")],
    ids=["nearly as fast", "too short to tell", "on a card"],
)
def test_seconds_stay_where_nothing_else_is_known(
    tmp_path: Path, slowness: tuple[float, ...], evaluation: float, device: str
) -> None:
    for seed, slow in enumerate(slowness):
        spent = Seconds(startup=0.0, synthesis=50.0 * slow, distillation=0.0, evaluation=3 * evaluation * slow)
        factory.write(tmp_path, factory.metrics("a", seed=seed, seconds=spent, device=device))
    assert speed.cost(list(rows(tmp_path).values())) is COST


@pytest.mark.parametrize("epochs", [None, 0, -1, "three"])
def test_records_that_do_not_tell_their_evaluations(tmp_path: Path, epochs: object) -> None:
    for seed, slow in enumerate((1.0, 2.0)):
        spent = Seconds(startup=0.0, synthesis=50.0 * slow, distillation=0.0, evaluation=9.0 * slow)
        factory.write(tmp_path, factory.metrics("a", seed=seed, seconds=spent), config={"epochs": epochs})
    (own,) = rows(tmp_path).values()
    assert speed.cost([own]) is COST
    assert not any(map(speed.tells, own.done))


def test_profiles_compare_costs_of_equally_fast_machines() -> None:
    asked = [
        row(
            label,
            [80.0],
            cell=f"toy/digits/t{pair}--cnn3_16/{label}/scale-10/seed-0",
            seconds=Seconds(startup=0.0, synthesis=seconds * slow, distillation=0.0, evaluation=9.0 * slow),
        )
        for pair in range(3)
        for label, seconds, slow in (("fast-2", 100.0, 2.0), ("dafl", 150.0, 1.0))
    ]
    (found,) = profiles(asked)
    ratios = {profile.label: profile.ratios for profile in found.methods}
    assert ratios == {"fast-2": pytest.approx((1.0, 1.0, 1.0)), "dafl": pytest.approx((1.5, 1.5, 1.5))}


def test_compare_says_that_machines_differed(tmp_path: Path) -> None:
    write(tmp_path, "fast-2", 100.0, (2.0, 2.0))
    write(tmp_path, "dafl", 150.0, (1.0, 1.0))
    told = "\n".join(str(line) for line in methods.table("fast-2", "dafl", tmp_path))
    assert "cost × 1.50 (geometric mean)" in told
    assert "machines of different speed: costs are as on an equally fast one" in told


def test_a_pair_has_one_usual_machine_at_all_its_scales(tmp_path: Path) -> None:
    """Three runs at 10 % on a machine that takes twice as long as the one of two runs at 1 %."""
    for scale, slow, seeds in ((10.0, 2.0, 3), (1.0, 1.0, 2)):
        for seed in range(seeds):
            spent = Seconds(startup=0.0, synthesis=10 * scale * slow, distillation=0.0, evaluation=9 * slow)
            factory.write(tmp_path, factory.metrics("a", scale, seed, final=80.0, seconds=spent))
    boards = {setting.scale: board(setting) for setting in settings(group(load(tmp_path)))}
    costs = {scale: (found.methods[0].cost.mean or 0.0) * found.unit.size for scale, found in boards.items()}
    # As if all had met the slow one, the median of the five.
    assert costs == {"10": pytest.approx(200.0), "1": pytest.approx(20.0)}


def test_a_machine_is_usual_for_its_own_pair_alone(tmp_path: Path) -> None:
    write(tmp_path, "a", 100.0, (1.0, 2.0, 2.0))
    spent = Seconds(startup=0.0, synthesis=70.0, distillation=0.0, evaluation=30.0)
    other = "toy/digits/wrn10_1--wrn10_1/a/scale-10/seed-0"
    factory.write(tmp_path, factory.metrics("a", cell=other, student="wrn10_1", final=80.0, seconds=spent))
    every = group(load(tmp_path))
    means = {row.pair.student: row.summary(speed.cost(every)).mean for row in every}
    assert means == {"cnn3_16": pytest.approx(200.0), "wrn10_1": pytest.approx(70.0)}


def test_compare_says_of_a_cost_that_it_is_fair_or_that_it_says_little(tmp_path: Path) -> None:
    for label, slow in (("fast-2", 1.0), ("dafl", 2.0)):
        spent = Seconds(startup=0.0, synthesis=100 * slow, distillation=0.0, evaluation=9 * slow)
        waited = spent.model_copy(update={"synthesis": 300 * slow})
        factory.write(tmp_path, factory.metrics(label, final=80.0, seconds=waited, cpu_seconds=spent))
    told = "\n".join(str(line) for line in methods.table("fast-2", "dafl", tmp_path))
    assert "costs are as on an equally fast one" in told
    assert "their costs say little" not in told
