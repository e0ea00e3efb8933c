"""A method: its presets and all its hyperparameters, with default, meaning and source. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import methods
from harness.commands.output import Line, columns
from harness.commands.show import names, words
from harness.errors import UserError, clean
from methods.base import hyperparameters
from methods.base.hyperparameters import Hyperparameter
from methods.base.method import Method

UNDOCUMENTED = "not documented: put a text below it in the method's Config"


def load(name: str) -> type[Method]:
    """The class of a method, by name or file. Raises UserError if it cannot be had."""
    try:
        return methods.load(name)
    except (methods.UnknownMethod, methods.BrokenContract, TypeError) as error:
        raise UserError(clean(str(error))) from None


def describe(name: str) -> Iterator[Line]:
    """All about a method, by name or file."""
    cls = load(name)
    yield f"method {name}"
    file = methods.source(name)
    facts = [("what", names.method(name)), ("file", _shown(file))]
    facts += [("prior", prior(cls))]
    yield columns(facts, indent=2)
    if cls.presets:
        yield "presets"
        yield columns(((preset, about(cls, preset)) for preset in cls.presets), indent=2)
    yield "hyperparameters: name, default, meaning"
    rows = [row for one in hyperparameters.of(cls.Config) for row in _rows(one, cls)]
    yield columns(rows, indent=2)


def preset(name: str, owner: str) -> Iterator[Line]:
    """One method's preset: what it sets, and for which pairs and datasets."""
    cls = load(owner)
    found = cls.presets[name]
    yield f"preset {name} of {owner}"
    facts = [("source", hyperparameters.origin(cls.Config, name, found) or "not documented")]
    for case in found.cases:
        whose = f", those of {case.borrowed_from}" if case.borrowed_from else ""
        facts.append(("borrowed for" if whose else "published for", words.problems(case) + whose))
    yield columns(facts, indent=2)
    rows = [
        (one.name, f"{words.by_case(found, values)} [default {words.default(one.field)}]")
        for one in hyperparameters.of(cls.Config)
        if (values := hyperparameters.values(one.name, found))
    ]
    yield columns(rows, indent=2) if rows else f"  all values are the defaults: dkd show {owner}"


def about(cls: type[Method], name: str) -> str:
    """Where a preset's values come from, and for which pairs and datasets they were published."""
    found = cls.presets[name]
    source = hyperparameters.origin(cls.Config, name, found).rstrip(".") or "source not documented"
    published = [words.problems(case) for case in found.cases if not case.borrowed_from]
    borrowed = [case for case in found.cases if case.borrowed_from]
    elsewhere = f"; elsewhere those of {borrowed[-1].borrowed_from}" if borrowed else ""
    return f"{source}; for {'; '.join(published)}{elsewhere}" if found.cases else f"{source}; for any pair"


def prior(cls: type[Method]) -> str:
    """What it uses beyond the teacher, by default and with those presets that differ."""
    needs = any(field.is_required() for field in cls.Config.model_fields.values())
    default = None if needs else cls.prior(cls.Config())
    found = {name: {cls.prior(cls.Config(**it)) for it in preset.all_options()} for name, preset in cls.presets.items()}
    others = [f"{kind} with preset {name}" for name, kinds in found.items() for kind in kinds if kind != default]
    return "; ".join([*([str(default)] if default else []), *others])


def made(one: Hyperparameter, cls: type[Method]) -> list[tuple[str, str]]:
    """What each preset that sets a hyperparameter makes of it."""
    found = ((name, preset, hyperparameters.values(one.name, preset)) for name, preset in cls.presets.items())
    return [(name, words.by_case(preset, values)) for name, preset, values in found if values]


def _rows(one: Hyperparameter, cls: type[Method]) -> Iterator[tuple[str, str, str]]:
    yield one.name, words.default(one.field), f"{one.meaning or UNDOCUMENTED} [{words.wanted(one.field)}]"
    yield from (("", "", f"{name}: {values}") for name, values in made(one, cls))
    if one.source:
        yield "", "", f"source: {one.source}"


def _shown(file: Path) -> str:
    """A path from here where it lies below, and in full where not."""
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
