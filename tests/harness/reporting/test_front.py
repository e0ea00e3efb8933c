"""The front, by a search of its own over made-up rows."""

import itertools
import random
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binom

from harness.reporting.front import floor, front, luck, points
from harness.reporting.quantities import COST, OPERATIONS
from harness.reporting.rows import Row
from harness.reporting.runs import RecordedRun
from harness.store.layout import CellFolder, CellName
from harness.store.records import Flops, Seconds
from tests import factory

Seeds = list[tuple[float, float]]
"""Cost in seconds, and percent, of each seed."""


def row(label: str, seeds: Seeds, **changes: Any) -> Row:
    runs = []
    for seed, (cost, final) in enumerate(seeds):
        seconds = Seconds(startup=0.0, synthesis=0.0, distillation=cost, evaluation=0.0)
        result = factory.metrics(label, seed=seed, final=final, seconds=seconds, **changes)
        name = CellName.parse(result.cell)
        runs.append(RecordedRun(name, len(seeds), CellFolder(Path(result.cell)).run(result.key), result, None, None))
    return Row(tuple(runs))


def labels(rows: list[Row], at_least: float) -> list[str]:
    return [point.row.label for point in front(points(rows, COST), at_least)]


def mean(values: list[float]) -> float:
    return sum(values) / len(values)


def searched(methods: dict[str, Seeds], at_least: float) -> set[str]:
    """The front by its definition in words, from the seeds themselves."""
    able = {name: seeds for name, seeds in methods.items() if all(final > at_least for _, final in seeds)}
    beaten = set()
    for mine, other in itertools.permutations(able, 2):
        better = mean([final for _, final in able[other]]) - mean([final for _, final in able[mine]])
        cheapest, dearest = min(cost for cost, _ in able[other]), max(cost for cost, _ in able[mine])
        cheaper = mean([cost for cost, _ in able[other]]) < mean([cost for cost, _ in able[mine]])
        if (better > 0 and cheapest <= dearest) or (better == 0 and cheaper):
            beaten.add(mine)
    return able.keys() - beaten


@pytest.mark.parametrize("seed", range(200))
def test_against_a_search(seed: int) -> None:
    draw = random.Random(seed)
    methods = {
        f"m{number}": [(float(draw.randint(1, 12)), float(draw.randint(1, 12))) for _ in range(draw.randint(1, 3))]
        for number in range(draw.randint(1, 7))
    }
    found = labels([row(name, seeds) for name, seeds in methods.items()], at_least=3.0)
    assert set(found) == searched(methods, 3.0)
    assert len(found) == len(set(found))
    assert found == sorted(found, key=lambda name: (mean([cost for cost, _ in methods[name]]), name))
    able = [name for name, seeds in methods.items() if all(final > 3.0 for _, final in seeds)]
    assert bool(found) == bool(able)  # the most accurate one is on it, whatever it costs


def test_being_fastest_is_not_enough() -> None:
    slow, good = row("slow", [(10.0, 90.0), (12.0, 92.0)]), row("good", [(9.0, 95.0), (11.0, 95.0)])
    guess = row("guess", [(1.0, 11.0), (1.0, 9.9)])  # no better than chance in one seed
    close = row("close", [(8.0, 50.0), (9.5, 50.0)])  # its dearest seed costs more than the cheapest of a better one
    cheap = row("cheap", [(3.0, 50.0), (4.0, 50.0)])
    assert labels([slow, good, guess, close], 10.0) == ["good"]
    assert labels([slow, good, guess, cheap], 10.0) == ["cheap", "good"]


def test_references_are_not_on_it_and_noise_is_its_floor() -> None:
    noise = row("kd-noise", [(1.0, 40.0), (1.0, 60.0)])
    real = row("scratch", [(1.0, 99.0)])
    lower, higher = row("lower", [(2.0, 60.0), (2.0, 70.0)]), row("higher", [(3.0, 61.0), (3.0, 62.0)])
    rows = [noise, real, lower, higher]
    assert floor(rows) == 60.0
    assert labels(rows, floor(rows)) == ["higher"]
    assert floor([lower, higher]) == 10.5  # ten classes, and five hundredths more than chance


def test_another_label_that_runs_noise_counts_as_noise() -> None:
    assert floor([row("dots", [(1.0, 33.0)], method="kd-noise")]) == 33.0


def test_what_a_guess_reaches_follows_from_the_classes_that_runs_record() -> None:
    scratch = row("scratch", [(1.0, 50.0)], class_counts=None)
    assert luck([scratch, row("a", [(1.0, 50.0)], class_counts=[1] * 4)]) == 1.05 * 25
    assert luck([scratch]) == 0


def test_a_guess_reaches_so_much_once_in_twenty_times() -> None:
    """Of 10,000 images of ten classes: the binomial distribution's 95 % quantile is 1,050 right answers."""
    assert binom.ppf(0.95, 10_000, 0.1) == 1050


def test_operations_decide_where_they_are_the_cost() -> None:
    fast = row("fast", [(1.0, 90.0)], flops=Flops(synthesis=9, distillation=9))
    slow = row("slow", [(9.0, 80.0)], flops=Flops(synthesis=1, distillation=1))
    uncounted = row("uncounted", [(1.0, 99.0)], flops=None)
    assert [point.row.label for point in front(points([fast, slow, uncounted], OPERATIONS), 10.0)] == ["slow", "fast"]
    assert labels([fast, slow], 10.0) == ["fast"]
