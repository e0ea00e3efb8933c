"""Verdicts on the paper's claims, against intervals calculated by hand."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from harness.reporting.findings import Finding, evenness, findings
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.store.records import Seconds
from tests import factory

T2 = 4.302652729911275
"""The 97.5 % quantile of Student's t distribution with two degrees of freedom."""


def found(folder: Path, claim: str) -> Finding:
    (one,) = [each for each in findings(group(load(folder))) if claim in each.claim]
    return one


def write(folder: Path, label: str, finals: list[float], scale: float = 10.0, minutes: float = 1.0) -> None:
    for seed, final in enumerate(finals):
        seconds = Seconds(startup=0.0, synthesis=60 * minutes, distillation=0.0, evaluation=9.0)
        factory.write(folder, factory.metrics(label, scale, seed, final=final, seconds=seconds))


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [([90.0, 91.0, 92.5], "confirmed"), ([70.0, 71.0, 72.5], "refuted"), ([80.0, 83.0, 79.5], "undecided")],
)
def test_a_claim_holds_by_the_interval_of_paired_differences(tmp_path: Path, ours: list[float], verdict: str) -> None:
    write(tmp_path, "ssd-kd", ours)
    write(tmp_path, "fast-2", [80.0, 81.0, 82.0])
    differences = [own - fast for own, fast in zip(ours, (80.0, 81.0, 82.0), strict=True)]
    mean = sum(differences) / 3
    reach = T2 * math.sqrt(sum((each - mean) ** 2 for each in differences) / 2 / 3)
    told = found(tmp_path, "more accurate than Fast-2")
    assert told.verdict == verdict
    printed = [f"{value:+.2f}".replace("-", "−") for value in (mean, mean - reach, mean + reach)]
    assert f"{printed[0]} [{printed[1]}, {printed[2]}] points, n = 3" in told.evidence


def test_speed_is_a_ratio_of_end_to_end_seconds(tmp_path: Path) -> None:
    write(tmp_path, "ssd-kd", [80.0, 80.0, 80.0], minutes=2.0)
    write(tmp_path, "fast-2", [80.0, 80.0, 80.0], minutes=5.0)
    told = found(tmp_path, "faster")
    assert told.verdict == "confirmed"
    assert "2.00 against 5.00 CPU min: 2.50 [2.50, 2.50] times" in told.evidence


def test_seconds_are_told_where_minutes_would_be_a_fraction(tmp_path: Path) -> None:
    write(tmp_path, "ssd-kd", [80.0], minutes=0.04)  # 2.4 s
    write(tmp_path, "fast-2", [80.0], minutes=0.05)
    assert found(tmp_path, "faster").evidence.startswith("2.40 against 3.00 CPU s: 1.25 times as fast on an equally")


def test_a_machine_of_twice_the_speed_makes_no_method_faster(tmp_path: Path) -> None:
    slowness = {"ssd-kd": (1.0, 1.0, 0.5), "fast-2": (1.0, 0.5, 0.5)}  # whose seeds ran on which machine
    for label, minutes in (("ssd-kd", 4.0), ("fast-2", 2.0)):
        for seed, slow in enumerate(slowness[label]):
            spent = Seconds(startup=0.0, synthesis=60 * minutes * slow, distillation=0.0, evaluation=30.0 * slow)
            factory.write(tmp_path, factory.metrics(label, 10.0, seed, seconds=spent))
    assert (
        "3.33 against 1.33 CPU min: 0.50 [0.50, 0.50] times as fast on an equally fast machine"
        in found(tmp_path, "faster").evidence
    )


@pytest.mark.parametrize(("small", "verdict"), [(72.0, "confirmed"), (60.0, "refuted")])
def test_the_fall_over_scales_has_a_limit(tmp_path: Path, small: float, verdict: str) -> None:
    write(tmp_path, "ssd-kd", [80.0, 80.5, 81.0], 20.0)
    write(tmp_path, "ssd-kd", [small, small + 0.6, small + 1.0], 1.0)
    assert found(tmp_path, "loses less").verdict == verdict


def test_one_seed_decides_nothing(tmp_path: Path) -> None:
    write(tmp_path, "ssd-kd", [90.0])
    write(tmp_path, "kd-real", [10.0])
    told = found(tmp_path, "as many real images")
    assert told.verdict == "undecided" and "n = 1" in told.evidence


def test_a_study_without_the_methods_has_no_findings(tmp_path: Path) -> None:
    write(tmp_path, "mine", [90.0, 91.0])
    assert not findings(group(load(tmp_path)))


def test_evenness_is_entropy_over_its_largest_value() -> None:
    assert evenness([7, 7, 7, 7]) == pytest.approx(100.0)
    assert evenness([9, 0, 0]) == pytest.approx(0.0)
    halves = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    assert evenness([3, 1]) == pytest.approx(100 * halves)
    assert evenness(None) is None and evenness([0, 0]) is None
