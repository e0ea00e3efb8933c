"""What a method's class says of itself, checked where it is loaded: whatever a record keeps of it must fit in there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from methods.base import plain
from methods.base.method import Method, MethodConfig
from methods.base.presets import Preset
from methods.base.prior import Prior


def check(cls: type[Method]) -> None:
    """Raise TypeError with what is missing or wrong if a class cannot be run as a method."""
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise TypeError(f"{cls.__name__} does not define {', '.join(missing)}")
    if not (isinstance(cls.Config, type) and issubclass(cls.Config, MethodConfig)):
        raise TypeError(f"{cls.__name__}.Config is not a subclass of methods.base.method.MethodConfig")
    if not isinstance(getattr(cls, "name", None), str):
        raise TypeError(f"{cls.__name__} has no name: it says name = its file's name, with dashes")
    if not any(field.is_required() for field in cls.Config.model_fields.values()):
        _check_options(cls, "its defaults", {})
    if not isinstance(cls.presets, Mapping):
        raise TypeError(f"{cls.__name__}.presets is {cls.presets!r:.60}, not a mapping of names to Preset")
    for name, preset in cls.presets.items():
        _check_preset(cls, f"preset {name!r:.60}", preset)


def _check_preset(cls: type[Method], what: str, preset: Preset) -> None:
    if not isinstance(preset, Preset):
        raise TypeError(f"{what} of {cls.__name__} is {preset!r:.60}, not a Preset")
    for whose in (case.borrowed_from for case in preset.cases if case.borrowed_from is not None):
        if not isinstance(whose, str) or not whose.isprintable():
            raise TypeError(f"{what} of {cls.__name__}: borrowed_from is {whose!r:.60}, not a line of text")
    for options in preset.all_options():
        _check_options(cls, what, options)


def _check_options(cls: type[Method], what: str, options: Mapping[str, Any]) -> None:
    try:
        config = cls.Config(**options)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field, reason = ".".join(map(str, first["loc"])), first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            reason = f"{cls.Config.__name__} has no such hyperparameter, but {', '.join(cls.Config.model_fields)}"
        raise TypeError(f"{what} of {cls.__name__}: {field}: {reason}") from None
    if found := plain.problem(config):
        raise TypeError(f"{what} of {cls.__name__}: {found}")
    if not isinstance(prior := _prior(cls, config), Prior):
        raise TypeError(f"{what} of {cls.__name__}: prior returns {prior!r:.60}, not one of Prior: {', '.join(Prior)}")


def _prior(cls: type[Method], config: MethodConfig) -> object:
    try:
        return cls.prior(config)
    except Exception as error:
        raise TypeError(f"{cls.__name__}.prior, a class method that is given a configuration: {error}") from error
