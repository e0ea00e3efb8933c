"""Every learning rate against its closed form."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests import small


def student_rate(method: Any, index: int) -> float:
    """The optimizer's rate in a round, as `begin_round` leaves it."""
    method.distiller.begin_round(index)
    (rate,) = {group["lr"] for group in method.distiller.optimizer.param_groups}
    return float(rate)


def generator_rate(method: Any, index: int) -> float:
    """The same of the generator's, as `synthesise` leaves it."""
    method.synthesise(index)
    (rate,) = {group["lr"] for group in method.inverter.optimizer.param_groups}
    return float(rate)


def half_cosine(first: float, last: float, share: float) -> float:
    return last + (first - last) / 2 * (1 + math.cos(math.pi * share))


@pytest.mark.parametrize(("preset", "epochs"), [("cmi", 200), ("adv", 40)])
def test_cmi_moves_per_epoch_to_0(preset: str, epochs: int) -> None:
    method = small.build_full("cmi", preset)
    schedule = method.schedule
    assert schedule.epoch(schedule.rounds - 1) == epochs - 1
    for index in range(schedule.rounds):
        expected = 0.1 / 2 * (1 + math.cos(math.pi * schedule.epoch(index) / epochs))
        assert student_rate(method, index) == pytest.approx(expected, rel=1e-6)
    assert student_rate(method, 0) == pytest.approx(0.1)
    assert student_rate(method, schedule.rounds - 1) == pytest.approx(half_cosine(0.1, 0, (epochs - 1) / epochs))


def test_spaceshipnet_moves_per_epoch_to_0() -> None:
    method = small.build_full("spaceshipnet", "spaceshipnet", 0.01)
    rounds = method.schedule.rounds
    assert rounds == 200
    rates = [student_rate(method, index) for index in range(rounds)]
    assert rates == pytest.approx([half_cosine(0.1, 0, index / 200) for index in range(rounds)], rel=1e-6)


def test_fast_stays_at_its_first_value_during_warm_up_and_ends_above_2e_4() -> None:
    """At 56,320 images, which are the official 220 rounds."""
    method = small.build_full("fast", "fast-2", reference_size=56_320)
    assert (method.schedule.rounds, method.schedule.warmup) == (220, 20)
    rates = [student_rate(method, index) for index in range(220)]
    assert rates[:21] == pytest.approx([0.2] * 21)
    expected = [2e-4 + (0.2 - 2e-4) / 2 * (1 + math.cos(math.pi * (r - 20) / 200)) for r in range(20, 220)]
    assert rates[20:] == pytest.approx(expected, rel=1e-6)
    assert rates[120] == pytest.approx((0.2 + 2e-4) / 2)
    assert 2e-4 < rates[219] < 2.2e-4


def test_nayer_moves_per_epoch_from_the_end_of_its_warm_up_on() -> None:
    method = small.build_full("nayer", "nayer-100")
    schedule = method.schedule
    assert (schedule.epochs, schedule.warmup, schedule.rounds) == (100, 62, 162)
    expected = [0.2] * 62 + [half_cosine(0.2, 2e-4, epoch / 100) for epoch in range(100)]
    assert [student_rate(method, index) for index in range(162)] == pytest.approx(expected, rel=1e-6)
    assert student_rate(method, 161) == pytest.approx(2.493e-4, rel=1e-3)


def test_dafl_drops_at_epochs_800_and_1600_of_2000() -> None:
    method = small.build_full("dafl", "original", batch=2)
    assert (method.schedule.rounds, method.schedule.epochs) == (240_000, 2000)
    epochs = [0, 799, 800, 1599, 1600, 1999]
    rates = [[student_rate(method, epoch * 120 + i) for i in (0, 119)] for epoch in epochs]
    assert rates == [pytest.approx([rate] * 2) for rate in (0.1, 0.1, 0.01, 0.01, 0.001, 0.001)]
    assert [generator_rate(method, epoch * 120) for epoch in epochs] == pytest.approx([0.02] * 6)


def test_dfad_drops_both_rates_where_the_scheduler_is_stepped_first() -> None:
    """Epochs count from 1 in the authors' code: 1-99, 100-199 and 200-500."""
    method = small.build_full("dfad", "original", batch=2)
    assert (method.schedule.rounds, method.schedule.epochs) == (25_000, 500)
    expected = {1: 1.0, 99: 1.0, 100: 0.1, 199: 0.1, 200: 0.01, 500: 0.01}
    for epoch, share in expected.items():
        for index in ((epoch - 1) * 50, epoch * 50 - 1):
            assert student_rate(method, index) == pytest.approx(0.1 * share)
            assert generator_rate(method, index) == pytest.approx(1e-3 * share)


def test_zskt_moves_both_rates_per_round_to_0() -> None:
    method = small.build_full("zskt", "original", batch=2)
    assert method.schedule.rounds == 80_000
    for index in (0, 1, 20_000, 40_000, 79_999):
        share = (1 + math.cos(math.pi * index / 80_000)) / 2
        assert student_rate(method, index) == pytest.approx(2e-3 * share, rel=1e-6)
        assert generator_rate(method, index) == pytest.approx(1e-3 * share, rel=1e-6)
    assert (student_rate(method, 0), generator_rate(method, 0)) == pytest.approx((2e-3, 1e-3))


@pytest.mark.parametrize("name", ["dafl", "dfad", "zskt", "dfq"])
def test_later_forms_leave_the_generator_its_rate(name: str) -> None:
    method = small.build_full(name, "cmi", batch=2)
    rounds, rate = (8_000, 0.05) if name == "dfq" else (16_000, 0.1)  # DFQ's first case is ResNets on CIFAR-100
    assert (method.schedule.rounds, method.schedule.epochs) == (rounds, 200)
    for index in (0, rounds // 2, rounds - 1):
        expected = half_cosine(rate, 0, index * 200 // rounds / 200)
        assert student_rate(method, index) == pytest.approx(expected, rel=1e-6)
        assert generator_rate(method, index) == pytest.approx(1e-3)


@pytest.mark.parametrize(("scale", "warmup"), [(1.0, 20), (0.1, 20), (0.01, 4)])
def test_ssd_kd_moves_per_round_after_the_warm_up(scale: float, warmup: int) -> None:
    method = small.build_full("ssd-kd", "fast-2", scale=scale)
    assert (method.schedule.rounds, method.schedule.warmup) == (220, warmup)
    rates = [student_rate(method, index) for index in range(220)]
    after = 220 - warmup
    assert rates[: warmup + 1] == pytest.approx([0.2] * (warmup + 1))
    assert rates[warmup:] == pytest.approx([half_cosine(0.2, 2e-4, i / after) for i in range(after)], rel=1e-6)
    assert 2e-4 < rates[-1] < 2.2e-4


def test_nyuv2_form_of_dfad_falls_by_0_3_every_100_epochs() -> None:
    options = small.full_options("dfad", "nyuv2", generator="fast", batch=2)
    given = small.context(small.network("wrn10_1", 1), small.network("cnn3_16", 2), scale=1.0)
    method = small.make("dfad", given, options)
    assert (method.schedule.rounds, method.schedule.epochs) == (15_000, 300)
    for epoch, share in {1: 1.0, 100: 1.0, 101: 0.3, 200: 0.3, 201: 0.09, 300: 0.09}.items():
        assert student_rate(method, epoch * 50 - 1) == pytest.approx(0.1 * share)
        assert generator_rate(method, epoch * 50 - 1) == pytest.approx(1e-3 * share)
