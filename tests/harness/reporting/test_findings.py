"""Verdicts on the paper's claims, against intervals calculated by scipy."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from scipy.stats import ttest_ind

from harness.reporting.findings import Finding, evenness, findings
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.store.records import Seconds
from tests import factory


def found(folder: Path, claim: str) -> Finding:
    (one,) = [each for each in findings(group(load(folder))) if claim in each.claim and "tuned" not in each.claim]
    return one


def write(folder: Path, label: str, finals: list[float], scale: float = 10.0, minutes: float = 1.0) -> None:
    for seed, final in enumerate(finals):
        seconds = Seconds(startup=0.0, synthesis=60 * minutes, distillation=0.0, evaluation=9.0)
        factory.write(folder, factory.metrics(label, scale, seed, final=final, seconds=seconds))


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [([90.0, 91.0, 92.5], "confirmed"), ([70.0, 71.0, 72.5], "refuted"), ([80.0, 83.0, 79.5], "undecided")],
)
def test_a_claim_holds_by_the_interval_of_the_difference(tmp_path: Path, ours: list[float], verdict: str) -> None:
    write(tmp_path, "ssd-kd", ours)
    write(tmp_path, "fast-2", [80.0, 81.0, 82.0])
    interval = ttest_ind(ours, [80.0, 81.0, 82.0], equal_var=False).confidence_interval(0.95)
    values = [(interval.low + interval.high) / 2, interval.low, interval.high, ours[0] - 80.0, ours[1] - 81.0]
    told = found(tmp_path, "more accurate than Fast-2")
    assert told.verdict == verdict
    middle, low, high, first, second = [f"{value:+.2f}".replace("-", "−") for value in values]
    assert f"{middle} [{low}, {high}] points, seed by seed {first}; {second}; " in told.evidence
    assert ", n = 3, p " in told.evidence


def test_speed_is_a_ratio_of_end_to_end_seconds(tmp_path: Path) -> None:
    write(tmp_path, "ssd-kd", [80.0, 80.0, 80.0], minutes=2.0)
    write(tmp_path, "fast-2", [80.0, 80.0, 80.0], minutes=5.0)
    told = found(tmp_path, "faster")
    assert told.verdict == "confirmed"
    assert "40.00 against 100.00 evaluations' time: 2.50 [2.50, 2.50] times" in told.evidence


def on_card(folder: Path, label: str, seconds: float, sharers: int, share: int = 1) -> None:
    for seed in range(3):
        spent = Seconds(startup=0.0, synthesis=seconds + seed / 100, distillation=0.0, evaluation=9.0)
        card = {"device": "cuda", "device_sharers": sharers, "share": share}
        factory.write(folder, factory.metrics(label, 10.0, seed, seconds=spent, **card))


def test_on_a_card_seconds_are_compared(tmp_path: Path) -> None:
    on_card(tmp_path, "ssd-kd", 2.4, sharers=0)
    on_card(tmp_path, "fast-2", 3.0, sharers=0)
    told = found(tmp_path, "faster")
    assert told.evidence.startswith("2.41 against 3.01 GPU s: 1.25 [1.24, 1.26] times as fast, seed by seed 1.25; ")
    assert told.verdict == "confirmed"


def test_cells_that_share_a_card_decide_no_speed(tmp_path: Path) -> None:
    """As many as the study allows are no overload, but wait for one another."""
    on_card(tmp_path, "ssd-kd", 2.4, sharers=0)
    on_card(tmp_path, "fast-2", 3.0, sharers=3, share=4)
    told = found(tmp_path, "faster")
    assert told.verdict == "undecided" and told.evidence.endswith(", on a card that cells share")


def test_what_other_work_shared_a_card_with_decides_no_speed(tmp_path: Path) -> None:
    on_card(tmp_path, "ssd-kd", 2.4, sharers=0)
    on_card(tmp_path, "fast-2", 3.0, sharers=7)
    told = found(tmp_path, "faster")
    assert told.verdict == "undecided" and told.evidence.endswith(", on an overloaded machine")


def test_a_machine_of_twice_the_speed_makes_no_method_faster(tmp_path: Path) -> None:
    slowness = {"ssd-kd": (1.0, 1.0, 0.5), "fast-2": (1.0, 0.5, 0.5)}  # whose seeds ran on which machine
    for label, minutes in (("ssd-kd", 4.0), ("fast-2", 2.0)):
        for seed, slow in enumerate(slowness[label]):
            spent = Seconds(startup=0.0, synthesis=60 * minutes * slow, distillation=0.0, evaluation=30.0 * slow)
            factory.write(tmp_path, factory.metrics(label, 10.0, seed, seconds=spent))
    assert (
        "24.00 against 12.00 evaluations' time: 0.50 [0.50, 0.50] times as fast on an equally fast machine"
        in found(tmp_path, "faster").evidence
    )


@pytest.mark.parametrize(("small", "verdict"), [(72.0, "confirmed"), (60.0, "refuted")])
def test_the_fall_over_scales_has_a_limit(tmp_path: Path, small: float, verdict: str) -> None:
    write(tmp_path, "ssd-kd", [80.0, 80.5, 81.0], 20.0)
    write(tmp_path, "ssd-kd", [small, small + 0.6, small + 1.0], 1.0)
    assert found(tmp_path, "loses less").verdict == verdict


def test_table_1_has_the_other_method_at_all_of_the_data(tmp_path: Path) -> None:
    write(tmp_path, "ssd-kd", [80.0, 80.5, 81.0], 10.0)
    write(tmp_path, "fast-2", [70.0, 70.5, 71.0], 10.0)
    assert not [
        each for each in findings(group(load(tmp_path))) if "table 1" in each.source and "our" not in each.source
    ]
    write(tmp_path, "fast-2", [90.0, 90.5, 91.0], 100.0)
    told = found(tmp_path, "more accurate than Fast-2 at 100 %")
    assert (told.verdict, told.evidence.split(":")[0]) == ("refuted", "80.50 against 90.50 %")
    assert told.where.endswith(", 10 %")


def test_figure_1_is_of_a_tenth_of_the_data(tmp_path: Path) -> None:
    write(tmp_path, "ssd-kd", [80.0, 80.5, 81.0], 1.0)
    write(tmp_path, "kd-real", [90.0, 90.5, 91.0], 1.0)
    assert not findings(group(load(tmp_path)))


def test_two_seeds_decide_nothing(tmp_path: Path) -> None:
    write(tmp_path, "ssd-kd", [90.0, 90.1])
    write(tmp_path, "fast-2", [10.0, 10.1, 10.2])
    told = found(tmp_path, "more accurate than Fast-2 at the same")
    assert told.verdict == "undecided" and ", n = 2 and 3, p < 0.001" in told.evidence


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


def test_even_classes_and_even_difficulty_are_two_claims(tmp_path: Path) -> None:
    """Ours has all classes alike and one difficulty, theirs one class and all difficulties alike."""
    for seed in range(3):
        even, odd = [5, 5, 5, 5 + seed], [17 + seed, 1, 1, 1]
        factory.write(tmp_path, factory.metrics("ssd-kd", seed=seed, class_counts=even, difficulty=odd))
        factory.write(tmp_path, factory.metrics("fast-2", seed=seed, class_counts=odd, difficulty=even))
    assert found(tmp_path, "evenly spread over classes").verdict == "confirmed"
    assert found(tmp_path, "evenly difficult").verdict == "refuted"
