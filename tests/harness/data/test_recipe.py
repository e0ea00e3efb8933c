"""Recipes of teachers: the floors that follow from published numbers, and what a study may change."""

from __future__ import annotations

import csv
import math

import pytest

from harness import ROOT, data
from harness.data import recipe
from harness.data.recipe import Recipe, Teachers
from harness.errors import ConfigError


@pytest.mark.parametrize(
    ("dataset", "network", "floor"),
    [
        ("cifar10", "resnet34", 95.20),
        ("cifar10", "wrn40_2", 94.37),
        ("cifar100", "vgg11", 70.82),
        ("nyuv2", "deeplabv3_resnet50", 48.7),
        ("digits", "wrn10_1", 96.0),
    ],
)
def test_floors_are_a_little_below_the_published_teachers(dataset: str, network: str, floor: float) -> None:
    """Half a point, and three of mean IoU; the digits' floor is our own."""
    assert data.load(dataset).teachers.recipe_for(network, {}).floor == pytest.approx(floor)


def test_a_network_that_nobody_published_has_the_floor_of_the_recipe() -> None:
    teachers = Teachers(Recipe(epochs=1, batch=2, lr=0.1, weight_decay=0.0, floor=50.0), {"known": 80.0}, below=2.0)
    assert [teachers.recipe_for(network, {}).floor for network in ("known", "other")] == [78.0, 50.0]


def test_recipes_are_changed_by_name() -> None:
    digits = data.load("digits").teachers
    changed = digits.recipe_for("wrn10_1", {"epochs": 3})
    assert changed == digits.recipe.model_copy(update={"epochs": 3})
    assert data.load("cifar10").teachers.recipe_for("wrn40_2", {"floor": 90.0}).floor == 90.0


def test_steps_stand_in_the_place_of_epochs_and_the_other_way_round() -> None:
    digits = data.load("digits").teachers
    by_steps = digits.recipe_for("wrn10_1", {"steps": 7})
    assert (by_steps.steps, by_steps.epochs, by_steps.lr) == (7, None, digits.recipe.lr)
    own = Teachers(recipe.by_steps(450)).recipe_for("wrn10_1", {"epochs": 3})
    assert (own.steps, own.epochs) == (None, 3)


@pytest.mark.parametrize(("images", "steps"), [(1, 1000), (450, 1000), (2560, 1000), (5120, 2000), (50_000, 19_531)])
def test_unknown_images_take_a_thousand_steps_or_fifty_passes(images: int, steps: int) -> None:
    assert recipe.by_steps(images).steps == steps


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"epoch": 3}, r"recipe\.epoch: [\s\S]*did you mean: epochs"),
        ({"epochs": 0}, r"recipe\.epochs: 0: .*greater"),
        ({"floor": 101.0}, r"recipe\.floor: 101"),
        ({"floor": -0.1}, r"recipe\.floor: -0.1: .*; valid: >= 0, <= 100"),
        ({"lr": 0.0}, r"recipe\.lr: 0.0: .*; valid: > 0, <= 1000"),
        ({"lr": -1.0}, r"recipe\.lr"),
        ({"lr": math.inf}, r"recipe\.lr: inf: .*finite"),
        ({"lr": math.nan}, r"recipe\.lr: nan"),
        ({"weight_decay": math.inf}, r"recipe\.weight_decay: inf"),
        ({"lr": "fast"}, r"recipe\.lr: 'fast'"),
        ({"momentum": 1.0}, r"recipe\.momentum: 1.0: .*; valid: >= 0, < 1"),
        ({"epochs": 10**40}, r"recipe\.epochs: 1000"),
        ({"epochs": 2.5}, r"recipe\.epochs: 2.5"),
        ({"steps": 0}, r"recipe\.steps: 0: .*greater"),
        ({"steps": None}, r"recipe\.steps: null: a whole number is wanted"),
        ({"steps": 10, "epochs": 10}, r"recipe: .*either epochs or steps"),
        ({"epochs": None}, r"recipe\.epochs: null"),
        ({"batch": 0}, r"recipe\.batch: 0"),
        ({"images": 0}, r"recipe\.images: 0"),
        ({"focal": -1.0}, r"recipe\.focal: -1.0"),
        ({"seed": -1}, r"recipe\.seed: -1: .*; valid: >= 0, < 9223372036854775808"),
        ({"milestones": [0.5, 1.5]}, r"recipe\.milestones\.1: 1.5"),
        ({"milestones": [math.nan]}, r"recipe\.milestones\.0: nan"),
        ({"milestones": 0.5}, r"recipe\.milestones: 0.5"),
    ],
)
def test_bad_recipes_name_the_field(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        data.load("digits").teachers.recipe_for("wrn10_1", changes)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "nyuv2"])
def test_published_teachers_are_those_that_tables_print(dataset: str) -> None:
    """The walls keep the two apart, so the numbers stand twice: here they must agree."""
    with (ROOT / "harness/reporting/tables/published.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == dataset and row["line"] == "Teacher"]
    for network, value in data.load(dataset).teachers.published.items():
        printed = [
            float(row["value"]) * (100 if row["metric"] == "miou" else 1) for row in rows if row["teacher"] == network
        ]
        assert any(abs(value - other) < 0.05 for other in printed), f"{network}: {value} is not among {printed}"
