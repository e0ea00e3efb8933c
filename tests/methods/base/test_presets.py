"""Presets: what goes over what, what is refused, and which case counts."""

from __future__ import annotations

import pytest

import methods
from methods.base.pair import Pair
from methods.base.presets import (
    DEEPLABS,
    RESNETS,
    WRN_16_1,
    Case,
    Preset,
    Problem,
    UnknownPreset,
    borrowed,
    resolve,
)
from methods.cmi import CMIConfig

DIGITS = Problem("digits", Pair.of("wrn10_1", "cnn3_16"))


def test_options_go_over_the_budget_the_budget_over_the_preset_and_the_preset_over_the_class() -> None:
    config = methods.load("cmi").configure("adv", {"batch": 32, "lr": 0.3}, {"lr": 0.4}, Problem("cifar10", WRN_16_1))
    assert isinstance(config, CMIConfig)
    assert (config.lr, config.batch, config.oh, config.epochs) == (0.4, 32, 0.5, 40)
    assert (config.adv, config.steps) == (0.5, 80_000)


def test_a_problem_is_printed_as_pair_and_dataset() -> None:
    assert str(Problem("cifar10", WRN_16_1)) == "wrn40_2 → wrn16_1 on cifar10"


def test_an_unknown_preset_lists_those_that_fit() -> None:
    with pytest.raises(UnknownPreset, match="cmi has no preset 'fast-2'") as error:
        resolve("cmi", methods.load("cmi").presets, "fast-2", Problem("cifar10", WRN_16_1))
    assert error.value.choices == ["cmi", "cmi-500", "scratch", "adv", "fast-tuned", "smoke"]


def test_a_preset_that_is_not_for_a_pair_lists_those_that_are() -> None:
    with pytest.raises(UnknownPreset, match="no values for wrn10_1 → cnn3_16 on digits") as error:
        resolve("dfad", methods.load("dfad").presets, "nyuv2", DIGITS)
    assert error.value.choices == ["original", "cmi", "ema", "smoke"]


def test_the_first_case_that_fits_counts() -> None:
    preset = Preset(
        {"a": 0, "b": 0},
        (
            Case({"a": 1}, ("cifar10",), (RESNETS,)),
            Case({"a": 2}, ("cifar10",)),
            borrowed("b", {"a": 3}, ("cifar100",)),
        ),
    )
    found = [preset.case(Problem("cifar10", pair)) for pair in (RESNETS, WRN_16_1)]
    assert [case and case.options["a"] for case in found] == [1, 2]
    assert resolve("m", {"p": preset}, "p", Problem("cifar100", WRN_16_1)).options == {"a": 3, "b": 0}
    assert preset.case(Problem("nyuv2", DEEPLABS)) is None
