"""Profiles over made-up pairs, by counting and by slow definitions."""

import math
import random
from collections.abc import Mapping
from typing import Any

import pytest

from harness.reporting.profiles import Profile, Profiles, profiles
from harness.reporting.rows import Row
from tests.harness.reporting.test_leaderboard import row

STUDENT = {3: 4.3026527, 4: 3.1824463, 5: 2.7764451}
"""n -> the 97.5 % quantile of Student's t with n - 1 degrees of freedom, of a statistical table."""

Scores = Mapping[str, tuple[float | None, float]]
"""Label -> accuracy and cost on a pair; None waits."""


def pair(number: int, scores: Scores, scale: float = 10.0, **changes: Any) -> list[Row]:
    cell = "toy/digits/t{}--cnn3_16/{}/scale-{:g}/seed-0"
    return [
        row(label, [final], cost, scale=scale, cell=cell.format(number, label, scale), **changes)
        for label, (final, cost) in scores.items()
    ]


def study(*pairs: Scores, scale: float = 10.0) -> list[Row]:
    return [own for number, scores in enumerate(pairs) for own in pair(number, scores, scale)]


def the(rows: list[Row]) -> Profiles:
    (found,) = profiles(rows)
    return found


def of(label: str, found: Profiles) -> Profile:
    return next(each for each in found.methods if each.label == label)


def test_shares_of_pairs() -> None:
    found = the(
        study(
            {"a": (90.0, 10.0), "b": (80.0, 5.0)},
            {"a": (90.0, 10.0), "b": (89.5, 10.0)},
            {"a": (70.0, 40.0), "b": (75.0, 10.0)},
        )
    )
    a, b = of("a", found), of("b", found)
    assert (found.scale, found.pairs, found.unfinished) == (10.0, 3, 0)
    assert (a.ratios, b.ratios) == ((1.0, 2.0, 4.0), (1.0, 1.0, 1.0))
    assert [a.within_ratio(r) for r in (1.0, 1.9, 2.0, 4.0)] == [1 / 3, 1 / 3, 2 / 3, 1.0]
    assert (a.gaps, b.gaps) == ((0.0, 0.0, 5.0), (0.0, 0.5, 10.0))
    assert [b.within_points(d) for d in (0.0, 0.5, 9.0, 10.0)] == [1 / 3, 2 / 3, 2 / 3, 1.0]


@pytest.mark.parametrize("seed", range(10))
def test_mean_ranks_against_their_definition(seed: int) -> None:
    draw = random.Random(seed)
    names = ["a", "b", "c", "d"]
    pairs = [{name: (float(draw.randint(20, 24)), 1.0) for name in names} for _ in range(draw.randint(3, 5))]
    found = the(study(*pairs))
    for name in names:
        ranks = [
            1
            + sum(other > own[name] for other in own.values())
            + (sum(other == own[name] for other in own.values()) - 1) / 2
            for own in ({label: final for label, (final, _) in scores.items()} for scores in pairs)
        ]
        mean = sum(ranks) / len(ranks)
        sd = math.sqrt(sum((rank - mean) ** 2 for rank in ranks) / (len(ranks) - 1))
        reach = STUDENT[len(ranks)] * sd / math.sqrt(len(ranks))
        profile = of(name, found)
        assert profile.rank == pytest.approx(mean)
        assert (profile.low, profile.high) == pytest.approx((max(1.0, mean - reach), min(4.0, mean + reach)))
    assert [each.rank for each in found.methods] == sorted(each.rank for each in found.methods)


def test_being_cheap_and_learning_nothing_is_not_being_fast() -> None:
    noise = {"kd-noise": (50.0, 1.0)}
    found = the(study(*[{"a": (90.0, 10.0), "cheap": (49.0, 1.0), **noise}] * 3))
    assert of("cheap", found).ratios == (math.inf,) * 3
    assert of("a", found).ratios == (1.0,) * 3
    assert [each.label for each in found.methods] == ["a", "cheap"]


def test_a_method_without_a_result_comes_last_and_is_within_nothing() -> None:
    failed = [row for n in range(3) for row in pair(n, {"b": (0.0, 1.0)}, status="failed", reason="no", final=None)]
    found = the([*study(*[{"a": (90.0, 10.0)}] * 3), *failed])
    assert (of("b", found).rank, of("b", found).within_points(100.0), of("b", found).within_ratio(1e9)) == (2.0, 0, 0)


def test_a_pair_counts_when_no_method_waits_for_its_first_result() -> None:
    done, waits = {"a": (90.0, 1.0), "b": (80.0, 1.0)}, {"a": (90.0, 1.0), "b": (None, 1.0)}
    found = the(study(done, done, done, waits))
    assert (found.pairs, found.unfinished) == (3, 1)
    assert profiles(study(done, done, waits)) == []


def test_only_methods_that_all_pairs_have_are_compared() -> None:
    both = {"a": (90.0, 1.0), "b": (80.0, 1.0)}
    found = the(study(both, both, {**both, "c": (99.0, 1.0)}))
    assert [each.label for each in found.methods] == ["a", "b"]
    assert of("a", found).gaps == (0.0,) * 3
    assert profiles(study(*[{"a": (90.0, 1.0)}] * 3)) == []


def test_each_scale_apart_and_the_largest_first() -> None:
    scores = [{"a": (90.0, 1.0), "b": (80.0, 1.0)}] * 3
    assert [each.scale for each in profiles(study(*scores) + study(*scores, scale=100.0))] == [100.0, 10.0]
