"""Values of another type: where they stand, and what to write instead."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.explain import brief, explain, shown
from methods.base.files import File


class Example(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    whole: int = 1
    real: float = 1.0
    switch: bool = True
    text: str = ""
    several: list[int] = []
    either: Literal["a", "b"] | File = "a"


def problem(**values: Any) -> str:
    with pytest.raises(ValidationError) as error:
        Example(**values)
    return str(explain(error.value, lambda *path: f"a.yaml:3: {'.'.join(map(str, path))}", Example.model_fields))


@pytest.mark.parametrize(
    ("key", "value", "advice"),
    [
        *[
            ("real", "0.1", "write 0.1 without quotes"),
            ("real", "1e-3", "write 0.001"),
            ("real", "7", "write 7 without quotes"),
        ],
        *[("real", "1_000", "write 1000"), ("real", "012", "write 12"), ("whole", "1_000", "write 1000")],
        *[("whole", 1e3, "write 1000"), ("whole", 5.0, "write 5"), ("whole", "5", "write 5 without quotes")],
        *[("switch", text, "write true") for text in ("yes", "on", "Y", "True", 1)],
        *[("switch", text, "write false") for text in ("no", "OFF", "n", "false", 0)],
        *[("text", 1, "put it in quotes"), ("text", 0.5, "put it in quotes"), ("text", True, "put it in quotes")],
    ],
)
def test_the_evident_value_is_named(key: str, value: object, advice: str) -> None:
    message = problem(**{key: value})
    assert message.startswith(f"a.yaml:3: {key}: ")
    assert message.endswith(f": {advice}")


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        *[
            ("whole", value, "a whole number is wanted")
            for value in (0.5, "1.5", "many", None, [1], True, 1e30, "1:30")
        ],
        *[("real", value, "a number is wanted") for value in ("inf", "nan", "1:30", None, {}, False, "2026-01-01")],
        *[("switch", value, "true or false is wanted") for value in (2, None, "maybe", [])],
        *[("text", value, "text is wanted") for value in (None, [], {})],
        *[("several", value, "a list is wanted, such as [1, 2]") for value in (1, "1, 2", None, {})],
    ],
)
def test_nothing_is_guessed(key: str, value: object, wanted: str) -> None:
    assert problem(**{key: value}).endswith(f": {wanted}")


def test_the_place_is_that_of_the_value() -> None:
    assert problem(several=[1, "2"]) == "a.yaml:3: several.1: '2': a whole number is wanted: write 2 without quotes"
    assert "unknown key" in problem(txet=1)
    assert "did you mean: text" in problem(txet=1)


@pytest.mark.parametrize("value", ["x" * 10**6, [[1] * 1000] * 1000, {"k" * 1000: "v" * 1000}, 9**500, "\x1b[2J\u202e"])
def test_quoted_values_are_short_and_printable(value: object) -> None:
    assert len(shown(value)) < 400
    assert shown(value).isprintable()
    assert len(problem(real=value)) < 500
    assert brief(str(value)).isprintable()


def test_words_of_yaml_are_quoted_as_such() -> None:
    assert [shown(value) for value in (None, True, False, 1, "a")] == ["null", "true", "false", "1", "'a'"]


@pytest.mark.parametrize(("value", "quoted"), [("c", "'c'"), (3, "3"), (None, "null")])
def test_a_value_of_several_types_is_told_all_of_them_at_its_own_place(value: object, quoted: str) -> None:
    expected = f"a.yaml:3: either: {quoted}: Input should be 'a' or 'b', or a file is wanted, written as {{file: PATH}}"
    assert problem(either=value) == expected


class Bounded(BaseModel):
    model_config = ConfigDict(extra="forbid")

    wanted: int
    least: int = Field(default=0, ge=0)
    between: int = Field(default=0, ge=0, lt=5)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"wnted": 1}, "wnted: unknown key\n  valid choices: wanted, least, between\n  did you mean: wanted"),
        ({"least": 1}, "wanted: this key is missing"),
        ({"wanted": 1, "least": -1}, "least: -1: Input should be greater than or equal to 0"),
        ({"wanted": 1, "between": -1}, "between: -1: Input should be greater than or equal to 0; valid: >= 0, < 5"),
    ],
)
def test_a_mistake_is_told_once_and_a_misspelt_key_before_the_missing_one(values: dict[str, int], told: str) -> None:
    with pytest.raises(ValidationError) as error:
        Bounded(**values)
    assert str(explain(error.value, lambda *path: ".".join(map(str, path)), Bounded.model_fields)) == told


class Shapes(BaseModel):
    """Fields with examples of several shapes."""

    pairs: list[dict[str, str]] = Field(default=[], examples=["none", [{"teacher": "big", "student": "small"}]])
    methods: dict[str, int] = Field(default={}, examples=[{"ssd-kd": 1}])
    labels: dict[str, dict[str, int]] = Field(default={}, examples=[{"ssd-kd": {}, "fast-2": {"steps": 2}}])


@pytest.mark.parametrize(
    ("key", "value", "wanted"),
    [
        ("pairs", {"teacher": "big"}, "a list is wanted, such as [{teacher: big, student: small}]"),
        ("methods", ["ssd-kd"], "keys with values are wanted, such as {ssd-kd: 1}"),
        ("pairs", [["big", "small"]], "keys with values are wanted, such as {teacher: big, student: small}"),
        ("labels", {"cmi": "smoke"}, "keys with values are wanted, such as {steps: 2}"),
    ],
)
def test_a_shape_is_shown_by_the_fields_own_example(key: str, value: object, wanted: str) -> None:
    with pytest.raises(ValidationError) as error:
        Shapes(**{key: value})
    told = explain(error.value, lambda *path: ".".join(map(str, path)), Shapes.model_fields)
    assert str(told).endswith(f": {wanted}")
