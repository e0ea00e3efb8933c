"""Named sets of hyperparameters: where they come from, and for which datasets and pairs they were published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Pair = tuple[str, str]
"""Teacher and student network."""

CIFAR = ("cifar10", "cifar100")
RESNETS: Pair = ("resnet34", "resnet18")
VGG_RESNET: Pair = ("vgg11", "resnet18")
WRN_16_1: Pair = ("wrn40_2", "wrn16_1")
WRNS: tuple[Pair, ...] = (WRN_16_1, ("wrn40_2", "wrn40_1"), ("wrn40_2", "wrn16_2"))
DEEPLABS: Pair = ("deeplabv3_resnet50", "deeplabv3_mobilenetv2")
CIFAR_PAIRS: tuple[Pair, ...] = (RESNETS, VGG_RESNET, *WRNS)
"""The five pairs of the papers' tables."""


class UnknownPreset(ValueError):
    """A preset that the method does not have, or not for this dataset and pair."""

    def __init__(self, problem: str, choices: list[str]) -> None:
        super().__init__(problem)
        self.choices = choices


@dataclass(frozen=True)
class Problem:
    """What a preset's values may depend on."""

    dataset: str
    teacher: str
    student: str

    def __str__(self) -> str:
        return f"{self.teacher} → {self.student} on {self.dataset}"


@dataclass(frozen=True)
class Case:
    """Values for some datasets and pairs, over those of the preset."""

    options: Mapping[str, Any]
    datasets: tuple[str, ...] = CIFAR
    """None but these; empty means any."""
    pairs: tuple[Pair, ...] = CIFAR_PAIRS
    """None but these; empty means any."""
    borrowed: str | None = None
    """Whose values these are, where none were published for these problems."""

    def fits(self, problem: Problem) -> bool:
        """Whether the values are for ``problem``."""
        pair = (problem.teacher, problem.student)
        return problem.dataset in (self.datasets or (problem.dataset,)) and pair in (self.pairs or (pair,))


def lent(whose: str, options: Mapping[str, Any] | None = None, datasets: tuple[str, ...] = ()) -> Case:
    """Published values for all the problems for which none were."""
    return Case(options or {}, datasets, (), whose)


PUBLISHED_FOR_WRN = (Case({}, ("cifar10",), (WRN_16_1,)), lent("wrn40_2 → wrn16_1 on cifar10"))
"""Most scripts of CMI's repository name this one problem."""


@dataclass(frozen=True)
class Preset:
    """Values under a name. Without cases they fit every problem; with cases, the first that fits counts."""

    options: Mapping[str, Any]
    cases: tuple[Case, ...] = ()

    def case(self, problem: Problem) -> Case | None:
        """The values for ``problem``; None if the preset has none."""
        if not self.cases:
            return Case({})
        return next((case for case in self.cases if case.fits(problem)), None)

    def all_options(self) -> list[dict[str, Any]]:
        """What the preset sets in each of its cases."""
        return [{**self.options, **case.options} for case in self.cases or (Case({}),)]


@dataclass(frozen=True)
class Chosen:
    """A preset's values for one problem."""

    options: Mapping[str, Any]
    note: str | None = None
    """Whose values they are, where none were published for the problem."""


def resolve(method: str, presets: Mapping[str, Preset], name: str | None, problem: Problem) -> Chosen:
    """The values of preset ``name`` for ``problem``; none if no preset is named.

    Raises UnknownPreset, with the presets there are for the problem.
    """
    if name is None:
        return Chosen({})
    fitting = [key for key, preset in presets.items() if preset.case(problem)]
    if name not in presets:
        raise UnknownPreset(f"{method} has no preset {name!r}", fitting)
    case = presets[name].case(problem)
    if case is None:
        raise UnknownPreset(f"{method}'s preset {name!r} has no values for {problem}", fitting)
    note = f"no published values for {problem}: those of {case.borrowed}" if case.borrowed else None
    return Chosen({**presets[name].options, **case.options}, note)
