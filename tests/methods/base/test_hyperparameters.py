"""Every hyperparameter says what it means and where its default comes from, and can be asked for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel, Field

import methods
from methods.base import hyperparameters
from methods.base.hyperparameters import Hyperparameter
from methods.base.method import MethodConfig
from methods.base.pair import Pair
from methods.base.presets import Case, Preset


def undocumented(config: type[BaseModel]) -> list[str]:
    return [one.name for one in hyperparameters.of(config) if not (one.meaning and one.source)]


@pytest.mark.parametrize("name", methods.names())
def test_every_hyperparameter_of_every_method_is_documented(name: str) -> None:
    assert undocumented(methods.load(name).Config) == []


@pytest.mark.parametrize("name", methods.names())
def test_every_preset_says_where_its_values_come_from(name: str) -> None:
    cls = methods.load(name)
    sources = {preset: hyperparameters.origin(cls.Config, preset, cls.presets[preset]) for preset in cls.presets}
    assert all(sources.values()), sources


class Documented(MethodConfig):
    """How it learns. Source: a paper, table 3."""

    own: float = 1.0
    """What it does. Source: our choice,
    after a second look."""
    of_class: int = Field(default=2, ge=1)
    """What else
    it does."""


class Again(Documented):
    """Source: a repository."""

    own: float = 3.0
    of_class: int = Field(default=4, ge=1)
    """Something else. Source: an issue."""


class Silent(Documented):
    """Nobody says where this comes from."""

    own: float = 5.0
    none: int = 6
    empty: int = 7
    """"""
    nothing_but_a_source: int = 8
    """Source: somewhere."""


def of(config: type[BaseModel], name: str) -> Hyperparameter:
    (found,) = [one for one in hyperparameters.of(config) if one.name == name]
    return found


@pytest.mark.parametrize(
    ("config", "name", "meaning", "source"),
    [
        (Documented, "own", "What it does.", "our choice, after a second look."),
        (Documented, "of_class", "What else it does.", "a paper, table 3."),
        (Again, "own", "What it does.", "a repository."),  # another default, of another source
        (Again, "of_class", "Something else.", "an issue."),
        (Silent, "of_class", "What else it does.", "a paper, table 3."),  # not declared again
        (Silent, "own", "What it does.", ""),
        (Silent, "none", "", ""),
    ],
)
def test_meaning_and_source(config: type[BaseModel], name: str, meaning: str, source: str) -> None:
    found = of(config, name)
    assert (found.meaning, found.source) == (meaning, source)


def test_what_nobody_wrote_down_is_missed() -> None:
    assert undocumented(Documented) == []
    assert undocumented(Silent) == ["own", "none", "empty", "nothing_but_a_source"]


def test_those_of_a_file_outside_the_package(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from methods.base.method import MethodConfig\n"
        "from methods.references import KDNoise as Base\n"
        "class MineConfig(MethodConfig):\n"
        '    """Mine. Source: my thesis."""\n'
        "    strength: float = 0.5\n"
        '    """How strong it is."""\n'
        "    bare: int = 1\n"
        "class Mine(Base):\n"
        "    Config = MineConfig\n",
        encoding="utf-8",
    )
    config = methods.load(str(file)).Config
    assert (of(config, "strength").meaning, of(config, "strength").source) == ("How strong it is.", "my thesis.")
    assert of(config, "strength").default == 0.5
    assert undocumented(config) == ["bare"]


def test_a_preset_sets_values_case_by_case() -> None:
    here, there = Case({"b": 2}, datasets=("x",)), Case({"b": 3, "c": 4}, pairs=(Pair.of("t", "s"),))
    preset = Preset({"a": 1, "b": 1}, (here, there))
    assert hyperparameters.values("a", preset) == [(here, 1), (there, 1)]
    assert hyperparameters.values("b", preset) == [(here, 2), (there, 3)]
    assert hyperparameters.values("c", preset) == [(there, 4)]
    assert hyperparameters.values("d", preset) == []
    assert [value for _, value in hyperparameters.values("a", Preset({"a": 5}))] == [5]


@pytest.mark.parametrize(
    ("name", "preset", "source"),
    [
        ("mine", Preset({}), "a paper, table 3."),
        ("mine", Preset({}, source="its second table."), "its second table."),
        ("smoke", Preset({}), "ours: small enough for seconds on a CPU."),
        ("smoke", Preset({}, source="theirs."), "theirs."),
    ],
)
def test_the_source_of_a_preset(name: str, preset: Preset, source: str) -> None:
    assert hyperparameters.origin(Documented, name, preset) == source
