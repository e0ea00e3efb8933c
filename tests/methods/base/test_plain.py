"""Values that no record could keep are refused before anything trains, wherever a configuration takes them from."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.commands.contract import check
from harness.commands.validate import validate
from harness.errors import UserError
from methods.base import plain

BODY = """
import datetime, decimal, enum, pathlib
from typing import Any
import numpy, torch
from pydantic import computed_field
from methods.base.method import MethodConfig
from methods.base.presets import Case, Preset, borrowed
from methods.base.prior import Prior
from methods.references import KDNoise

class Mine(KDNoise):
    name = "mine"
    class Config(KDNoise.Config):
        gamma: {kind} = {default}
    presets = {{"smoke": Preset({{"steps": 60}}), "other": Preset({{{options}}})}}
    {more}
"""
STUDY = """
study: other
dataset: digits
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [1]
seeds: [0]
methods: {{m: {{method: {file}, preset: other, steps: 60}}}}
"""
VALUES = [
    "{1, 2}",
    "frozenset()",
    "b'bytes'",
    "torch.zeros(2)",
    "numpy.float32(1)",
    "numpy.zeros(2)",
    "pathlib.Path('x')",
    "datetime.date(2026, 1, 1)",
    "decimal.Decimal(1)",
    "float('nan')",
    "-float('inf')",
    "1 + 2j",
    "10**30",
    "10**5000",
    "'\\ud800'",
    "lambda x: x",
    "object()",
    "int",
    "enum.Enum('E', 'a').a",
    "[1, [2, {3}]]",
    "{'a': {'b': (1, float('nan'))}}",
    "{1: 2}",
    "range(3)",
    "__import__('functools').reduce(lambda inner, _: [inner], range(25), [])",
]


def write(
    folder: Path, kind: str = "Any", default: str = "None", options: str = "", more: str = ""
) -> tuple[str, Path]:
    """A method with these values, and a study that runs it."""
    method, study = folder / "mine.py", folder / "mine.yaml"
    text = BODY.format(kind=kind, default=default, options=options, more=more)
    method.write_text(text, encoding="utf-8", errors="surrogatepass")
    study.write_text(STUDY.format(file=method), encoding="utf-8")
    return str(method), study


def refusals(method: str, study: Path) -> list[str]:
    """What `dkd check` and `dkd validate` say."""
    found = []
    for refuse in (lambda: check(method), lambda: validate(study)):
        with pytest.raises(UserError) as refused:
            refuse()
        found.append(str(refused.value))
        assert len(found[-1]) < 1000
    return found


@pytest.mark.parametrize("value", VALUES)
def test_in_a_preset(tmp_path: Path, value: str) -> None:
    for said in refusals(*write(tmp_path, options=f"'gamma': {value}")):
        assert "preset 'other' of Mine: gamma: " in said


@pytest.mark.parametrize("value", VALUES)
def test_as_a_default(tmp_path: Path, value: str) -> None:
    for said in refusals(*write(tmp_path, default=value)):
        assert "its defaults of Mine: gamma" in said


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("set[int]", "{1}"),
        ("pathlib.Path", "pathlib.Path('x')"),
        ("bytes", "b'x'"),
        ("datetime.date", "datetime.date(2026, 1, 1)"),
        ("list[float]", "[1.0, float('inf')]"),
        ("dict[int, int]", "{1: 2}"),
    ],
)
def test_in_a_field_of_such_a_type(tmp_path: Path, kind: str, value: str) -> None:
    for said in refusals(*write(tmp_path, kind, "...", f"'gamma': {value}")):
        assert "preset 'smoke' of Mine: gamma: Field required" in said
    for said in refusals(*write(tmp_path, kind, value)):
        assert "its defaults of Mine: gamma" in said


def test_a_field_of_a_type_that_no_configuration_has(tmp_path: Path) -> None:
    for said in refusals(*write(tmp_path, "torch.Tensor", "torch.zeros(1)")):
        assert "mine.py: cannot be imported: PydanticSchemaGenerationError" in said


@pytest.mark.parametrize(
    "kind", ["datetime.date", "set[int]", "pathlib.Path", "bytes", "decimal.Decimal", "tuple[int, int]"]
)
def test_a_labels_option(tmp_path: Path, kind: str) -> None:
    """YAML has none of these types; what looks like one is a text."""
    _, study = write(tmp_path, kind + " | None")
    text = study.read_text(encoding="utf-8").replace("steps: 60", "steps: 60, gamma: 2026-01-01")
    study.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=r"mine\.yaml:\d+: methods\.m\.gamma.*: '2026-01-01': "):
        validate(study)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("prior = 'none'", "Mine.prior, a class method that is given a configuration: 'str' object is not callable"),
        ("prior = classmethod(lambda cls, config: 'none')", "its defaults of Mine: prior returns 'none', not one of"),
        (
            "prior = classmethod(lambda cls, config: Prior.NONE if config.steps != 61 else 0); "
            "presets = {'other': Preset({'steps': 61})}",
            "preset 'other' of Mine: prior returns 0, not one of Prior: none, label text, external model, real images",
        ),
        ("presets = [Preset({})]", "Mine.presets is [Preset("),
        ("presets = {'other': {'steps': 60}}", "preset 'other' of Mine is {'steps': 60}, not a Preset"),
        (
            "presets = {'other': Preset({}, (Case({}, (), (), borrowed_from='a\\nb'),))}",
            r"borrowed_from is 'a\nb', not",
        ),
        ("presets = {'other': Preset({}, (borrowed(pathlib.Path('x')),))}", "borrowed_from is PosixPath('x'), not"),
        (
            "presets = {'other': Preset({'steps': '60'})}",
            "preset 'other' of Mine: steps: Input should be a valid integer",
        ),
        (
            "Config.model_config['extra'] = 'allow'; Config.model_rebuild(force=True); "
            "presets = {'other': Preset({'x': {1}})}",
            "x: set",
        ),
    ],
)
def test_what_else_a_class_says_of_itself(tmp_path: Path, more: str, expected: str) -> None:
    for said in refusals(*write(tmp_path, more=more)):
        assert expected in said


@pytest.mark.parametrize("value", [None, True, 0, -1.5, "Zürich\n", [], [1, ["a", {"b": None}]], (1, 2), {"a": {}}])
def test_what_json_has_is_fine(value: object) -> None:
    assert plain.problem(value) is None
