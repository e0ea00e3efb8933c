"""Values, types and ranges in words, for people and pages."""

from __future__ import annotations

import json
import types
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from harness.explain import bounds
from methods.base.presets import Case, Preset

NAMES = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    type(None): "nothing",
    Any: "anything",
}


def value(given: object) -> str:
    """A value as it stands in a configuration, on one line."""
    if isinstance(given, BaseModel):
        given = given.model_dump(exclude_none=True)
    if isinstance(given, Mapping):
        return "{" + ", ".join(f"{key}: {value(inner)}" for key, inner in given.items()) + "}"
    if isinstance(given, list | tuple):
        return "[" + ", ".join(map(value, given)) + "]"
    return given if isinstance(given, str) else json.dumps(given, default=str)


def options(given: Mapping[str, object]) -> str:
    """Several values with their names."""
    return ", ".join(f"{name}: {value(one)}" for name, one in given.items())


def kind(annotation: Any, quote: str = "") -> str:
    """A type; ``quote`` stands around the values that there are."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return kind(arguments[0], quote)
    if origin is Literal:
        return " or ".join(f"{quote}{argument}{quote}" for argument in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(kind(argument, quote) for argument in arguments if argument is not type(None))
    if origin is list:
        return f"list of {kind(arguments[0], quote)}"
    if origin is dict:
        return f"{kind(arguments[0], quote)} → {kind(arguments[1], quote)}"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "keys as below"
    return NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)).lower())


def wanted(field: FieldInfo, quote: str = "") -> str:
    """What a field takes: its type and its bounds."""
    return " ".join(filter(None, [kind(field.annotation, quote), bounds(field)]))


def default(field: FieldInfo) -> str:
    """A field's default, as it stands in a configuration."""
    return "required" if field.is_required() else value(field.get_default(call_default_factory=True))


def problems(case: Case) -> str:
    """Which pairs and datasets a preset's case is for."""
    return f"{_pairs(case)} on {', '.join(case.datasets)}" if case.datasets else _pairs(case)


def by_case(preset: Preset, found: Iterable[tuple[Case, object]]) -> str:
    """What a preset makes of one hyperparameter: one value, or one for every case, equal ones together."""
    cases: dict[str, list[Case]] = {}
    for case, one in found:
        cases.setdefault(value(one), []).append(case)
    if len(cases) == 1 and sum(map(len, cases.values())) == max(1, len(preset.cases)):
        return next(iter(cases))
    alike = len({case.datasets for case in preset.cases}) == 1
    word = _pairs if alike else problems
    return "; ".join(f"{one} for {', '.join(map(word, having))}" for one, having in cases.items())


def _pairs(case: Case) -> str:
    return ", ".join(map(str, case.pairs)) or "any other pair"
