"""Two labels of one results folder against each other."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import ttest_ind

from harness.commands import output
from harness.commands.compare import compare, methods
from harness.errors import UserError
from harness.store.records import Seconds
from tests import factory
from tests.harness.conftest import Command


def seconds(total: float) -> Seconds:
    return Seconds(startup=1.0, synthesis=total - 1.0, distillation=0.0, evaluation=5.0)


def add(results: Path, label: str, finals: list[float], cost: float, scale: float = 10.0, **changes: Any) -> None:
    own = {"method": label.removesuffix("-2"), **changes}
    for seed, final in enumerate(finals):
        factory.write(results, factory.metrics(label, scale, seed, final=final, seconds=seconds(cost), **own))


def lines(results: Path, a: str = "ssd-kd", b: str = "fast-2") -> list[str]:
    return list(output.lines(compare.compare(a, b, results).lines))


def test_a_line_per_pair_and_scale(tmp_path: Path) -> None:
    add(tmp_path, "ssd-kd", [80.0, 82.0, 84.0], cost=20.0)
    add(tmp_path, "fast-2", [83.0, 84.0, 88.0, 99.0], cost=5.0)
    add(tmp_path, "ssd-kd", [60.0], cost=2.0, scale=1.0)
    add(tmp_path, "fast-2", [59.0], cost=4.0, scale=1.0)
    add(tmp_path, "ssd-kd", [50.0], cost=2.0, scale=0.1)
    head, how, place, titles, ten, one, over, test, alone = lines(tmp_path)
    assert head == "A = ssd-kd (SSD-KD), B = fast-2 (Fast-2): Δ = B - A in points, cost ratio = B / A,"
    assert how == "over all seeds that are done; interval and p by Welch's t-test"
    assert place == "toy: Digits, top-1 (%)"
    assert ten.startswith("  WRN-10-1 → CNN-3-16  ")
    expected = ttest_ind([83.0, 84.0, 88.0, 99.0], [80.0, 82.0, 84.0], equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert re.split(r" {2,}", ten)[2:] == [
        *("10 %", "82.00 ± 2.00", "88.50 ± 7.33", "+6.50"),
        *(f"{interval.low:+.2f} to {interval.high:+.2f}".replace("-", "−"), f"p = {expected.pvalue:.2f}"),
        *("3 and 4", "× 0.25"),
    ]
    assert "−1.00" in one and "–" in one and "× 2.00" in one
    # The mean of 6.5 and -1; the geometric mean of 1/4 and 2 is √(1/2).
    assert over == ("over 2 cells of pair and scale: Δ +2.75, cost × 0.71 (geometric mean); B higher in 1, lower in 1")
    assert test == "with fewer than 6 cells no test over cells can be significant"
    assert alone == "only of one: toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-0.1"
    assert titles.split()[:2] == ["pair", "scale"]


def exact(deltas: list[float]) -> float:
    """Two-sided p of the signed-rank test by all signs that there are."""
    ranked = sorted(deltas, key=abs)
    observed = sum(rank for rank, delta in enumerate(ranked, 1) if delta > 0)
    middle = len(deltas) * (len(deltas) + 1) / 4
    every = itertools.product((0, 1), repeat=len(deltas))
    sums = [sum(rank * sign for rank, sign in enumerate(signs, 1)) for signs in every]
    return sum(abs(total - middle) >= abs(observed - middle) for total in sums) / len(sums)


@pytest.mark.parametrize(
    "deltas", [[0.5, 1.0, 1.5, 2.0, 2.5, 3.0], [0.5, -1.0, 1.5, 2.0, 2.5, 3.0, -0.1], [1.0, -2.0, 3.0, -4.0, 5.0, -6.5]]
)
def test_over_cells_as_by_all_signs(deltas: list[float]) -> None:
    assert methods.signed_rank([*deltas, 0.0]) == pytest.approx(exact(deltas))


def test_six_cells_are_the_fewest_that_can_be_significant(tmp_path: Path) -> None:
    for index, scale in enumerate((1.0, 2.0, 5.0, 10.0, 20.0, 50.0)):
        add(tmp_path, "ssd-kd", [50.0], 10.0, scale)
        add(tmp_path, "fast-2", [51.0 + index], 10.0, scale)
    assert exact([1.0] * 6) == 2 / 2**methods.FEWEST
    *_, over, test = lines(tmp_path)
    assert over.endswith("B higher in 6, lower in 0")
    assert test == "Wilcoxon's signed-rank test over cells: p = 0.031, significant"
    assert methods.signed_rank([0.0, 0.0]) == 1.0


def test_what_does_not_count_is_said(tmp_path: Path) -> None:
    add(tmp_path, "ssd-kd", [80.0, 82.0], cost=20.0)
    add(tmp_path, "fast-2", [83.0], cost=5.0, device="cuda", device_sharers=2)
    factory.write(tmp_path, factory.metrics("fast-2", seed=1, status="failed", reason="boom"))
    found = lines(tmp_path)
    assert found[4].endswith("2 and 1  –")
    assert "geometric" not in found[5]
    assert found[7:] == [
        "left out: toy/digits/wrn10_1--cnn3_16/fast-2/scale-10: seed 1 failed: boom",
        "1 of these runs on an overloaded machine: their costs say little",
    ]


def test_seeds_of_different_options_are_said(tmp_path: Path) -> None:
    add(tmp_path, "ssd-kd", [80.0, 82.0], cost=20.0)
    for seed, steps in enumerate((600, 400)):
        factory.write(tmp_path, factory.metrics("fast-2", seed=seed), config={"steps": steps})
    said = "toy/digits/wrn10_1--cnn3_16/fast-2/scale-10: seeds ran with different steps: 600 (seed 0), 400 (seed 1)"
    assert lines(tmp_path)[7:] == [said]


def test_two_labels_that_never_meet(tmp_path: Path) -> None:
    add(tmp_path, "ssd-kd", [80.0], cost=20.0)
    add(tmp_path, "fast-2", [80.0], cost=20.0, scale=5.0)
    assert lines(tmp_path)[2] == "no pair and scale of which both have a seed done"


def test_the_command(dkd: Command, tmp_path: Path) -> None:
    add(tmp_path, "ssd-kd", [80.0], cost=20.0)
    add(tmp_path, "fast-2", [81.0], cost=20.0)
    code, out, _ = dkd("compare", "ssd-kd", "fast-2", "--results", tmp_path)
    assert (code, out.splitlines()) == (0, lines(tmp_path))
    code, _, errors = dkd("compare", "ssd-kd", "fast2", "--results", tmp_path)
    assert (code, errors) == (
        2,
        f"error: fast2: no finished run under {tmp_path} has this label\n"
        "  valid choices: fast-2, ssd-kd\n  did you mean: fast-2\n",
    )
    with pytest.raises(UserError, match="ssd-kd: compared with what"):
        compare.compare("ssd-kd", None, tmp_path)
