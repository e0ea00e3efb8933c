"""Options given by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.grid import settings
from harness.grid.cell import Cell
from harness.grid.grid import expand
from harness.grid.study import load_study
from harness.run.assemble import method_config
from tests.harness.grid.test_study import write


def cell(folder: Path) -> Cell:
    label = {"method": "dafl", "preset": "original", "temperature": 3.0, "nz": 8}
    (found,) = expand(load_study(write(folder, methods={"a": label}, budget={"steps": 100, "batch": 16})))
    return found


def test_options_are_yaml() -> None:
    given = ["gamma=1", "diversity=false", "name=a=b", "rates=[0.1, 2]", "clip=null", "x="]
    expected = {"gamma": 1, "diversity": False, "name": "a=b", "rates": [0.1, 2], "clip": None, "x": None}
    assert settings.parse(given) == expected


@pytest.mark.parametrize(
    ("text", "problem"),
    [("gamma", "write it as key=value"), ("=1", "write it as key=value"), ("a=[1", "the value is not valid YAML")],
)
def test_a_bad_option_is_named(text: str, problem: str) -> None:
    with pytest.raises(UserError, match=f"--set {text.replace('[', '.')}: {problem}"):
        settings.parse(["gamma=1", text])


def test_settings_go_over_everything(tmp_path: Path) -> None:
    before = cell(tmp_path)
    changed = settings.apply({"temperature": 5.0, "batch": 8}, before)
    assert (changed.preset, dict(changed.options)) == ("original", {"temperature": 5.0, "nz": 8, "batch": 8})
    assert dict(before.options) == {"temperature": 3.0, "nz": 8}
    assert (changed.name, changed.budget) == (before.name, before.budget)
    found = method_config(changed).model_dump()
    assert (found["temperature"], found["batch"], found["nz"], found["steps"]) == (5.0, 8, 8, 100)


def test_preset_names_another_preset_and_is_no_option(tmp_path: Path) -> None:
    changed = settings.apply({"preset": "cmi", "nz": 4}, cell(tmp_path))
    assert (changed.preset, dict(changed.options)) == ("cmi", {"temperature": 3.0, "nz": 4})
    assert method_config(changed).model_dump()["nz"] == 4
    assert settings.apply({"preset": None}, changed).preset is None
    assert settings.apply({"nz": 2}, changed).preset == "cmi"
