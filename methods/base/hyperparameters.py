"""What the hyperparameters of a method mean, where their defaults come from, and what its presets make of them."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from methods.base.presets import SMOKE, Case, Preset

SOURCE = "Source: "
"""In the text of a hyperparameter or of its class: what comes behind says where a default comes from."""


@dataclass(frozen=True)
class Hyperparameter:
    """One field of a method's Config."""

    name: str
    field: FieldInfo
    meaning: str
    """Empty where nobody wrote it down."""
    source: str
    """Of the default; empty where nobody wrote it down."""

    @property
    def default(self) -> Any:
        """Its value where neither preset nor study gives one; None, too, if one must be given."""
        return None if self.field.is_required() else self.field.get_default(call_default_factory=True)


def of(config: type[BaseModel]) -> list[Hyperparameter]:
    """All of a Config, in its order. Needs ``use_attribute_docstrings``, which `MethodConfig` sets.

    A field that a class declares again, for another default, means what it meant, if the class does not say otherwise.
    """
    return [_of(config, name, field) for name, field in config.model_fields.items()]


def _of(config: type[BaseModel], name: str, field: FieldInfo) -> Hyperparameter:
    family = [base for base in config.__mro__ if issubclass(base, BaseModel) and name in base.model_fields]
    said = [_sentences(base.model_fields[name].description) for base in family]
    declared = next(base for base in family if name in inspect.get_annotations(base))
    _, own = said[0]
    _, general = _sentences(declared.__doc__)
    return Hyperparameter(name, field, next((meaning for meaning, _ in said if meaning), ""), own or general)


def _sentences(text: str | None) -> tuple[str, str]:
    """Meaning and source, each on one line."""
    meaning, _, source = " ".join((text or "").split()).partition(SOURCE)
    return meaning.strip(), source.strip()


def values(name: str, preset: Preset) -> list[tuple[Case, Any]]:
    """What a preset makes of the hyperparameter ``name``, case by case; without those that leave its default alone."""
    cases = preset.cases or (Case({}, (), ()),)
    found: list[tuple[Case, Mapping[str, Any]]] = [(case, {**preset.options, **case.options}) for case in cases]
    return [(case, options[name]) for case, options in found if name in options]


def origin(config: type[BaseModel], name: str, preset: Preset) -> str:
    """Where the values of the preset ``name`` come from; empty where nobody wrote it down."""
    if name == SMOKE and not preset.source:
        return "ours: small enough for seconds on a CPU."
    return preset.source or _sentences(config.__doc__)[1]
