"""Named sets of hyperparameters: where they come from, and for which datasets and pairs they were published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from methods.base.pair import Pair

CIFAR = ("cifar10", "cifar100")
RESNETS = Pair.of("resnet34", "resnet18")
VGG_RESNET = Pair.of("vgg11", "resnet18")
WRN_16_1 = Pair.of("wrn40_2", "wrn16_1")
WRN_40_1 = Pair.of("wrn40_2", "wrn40_1")
WRNS = (WRN_16_1, WRN_40_1, Pair.of("wrn40_2", "wrn16_2"))
DEEPLABS = Pair.of("deeplabv3_resnet50", "deeplabv3_mobilenetv2")
CIFAR_PAIRS = (RESNETS, VGG_RESNET, *WRNS)
"""The five pairs of the papers' tables."""
IMAGENET_PAIRS = tuple(
    Pair.of("torchvision:resnet50", f"torchvision:{student}") for student in ("resnet50", "resnet18", "mobilenet_v2")
)
"""The three pairs of Fast's table on ImageNet; DeepInversion has the first."""


SMOKE = "smoke"
"""Name of the preset that takes seconds."""


class UnknownPreset(ValueError):
    """A preset that the method does not have, or not for this dataset and pair."""

    def __init__(self, problem: str, choices: list[str]) -> None:
        super().__init__(problem)
        self.choices = choices


@dataclass(frozen=True)
class Problem:
    """What a preset's values may depend on."""

    dataset: str
    pair: Pair

    def __str__(self) -> str:
        return f"{self.pair} on {self.dataset}"


@dataclass(frozen=True)
class Case:
    """Values for some datasets and pairs, over those of the preset."""

    options: Mapping[str, Any]
    datasets: tuple[str, ...] = CIFAR
    """None but these; empty means any."""
    pairs: tuple[Pair, ...] = CIFAR_PAIRS
    """None but these; empty means any."""
    borrowed_from: str | None = None
    """Whose values these are, where none were published for these problems."""

    def fits(self, problem: Problem) -> bool:
        """Whether the values are for ``problem``."""
        fits_dataset = not self.datasets or problem.dataset in self.datasets
        fits_pair = not self.pairs or problem.pair in self.pairs
        return fits_dataset and fits_pair


def borrowed(whose: str, options: Mapping[str, Any] | None = None, datasets: tuple[str, ...] = ()) -> Case:
    """Values that were published for one problem, for all the problems for which none were."""
    return Case(options or {}, datasets, pairs=(), borrowed_from=whose)


PUBLISHED_FOR_WRN = (Case({}, ("cifar10",), (WRN_16_1,)), borrowed("wrn40_2 → wrn16_1 on cifar10"))
"""Most scripts of CMI's repository name this one problem."""


@dataclass(frozen=True)
class Preset:
    """Values under a name. Without cases they fit every problem; with cases, the first that fits counts."""

    options: Mapping[str, Any]
    cases: tuple[Case, ...] = ()
    source: str = ""
    """Where its values come from, if not from where the Config's defaults do."""

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
    note = f"no published values for {problem}: those of {case.borrowed_from}" if case.borrowed_from else None
    return Chosen({**presets[name].options, **case.options}, note)
