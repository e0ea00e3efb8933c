"""All hyperparameters of all methods, as tables for methods.md."""

from __future__ import annotations

from collections.abc import Iterator

import methods as registry
from harness import ROOT
from harness.commands.show import method, names, words
from methods.base import hyperparameters


def methods() -> str:
    """A section for every method: its presets, and all its hyperparameters."""
    return "".join(line for name in registry.names() for line in _method(name))


def _method(name: str) -> Iterator[str]:
    cls = registry.load(name)
    file = registry.source(name).relative_to(ROOT)
    yield f"## {name}\n\n{names.method(name)}. `{file}`. Prior beyond the teacher: {method.prior(cls)}.\n\n"
    if cls.presets:
        yield "| preset | values and where they come from |\n|---|---|\n"
        yield from (f"| `{preset}` | {_cell(method.about(cls, preset))} |\n" for preset in cls.presets)
        yield "\n"
    yield "| hyperparameter | takes | default | presets | meaning | source |\n|---|---|---|---|---|---|\n"
    for one in hyperparameters.of(cls.Config):
        presets = "; ".join(f"`{preset}`: {made}" for preset, made in method.made(one, cls))
        row = [f"`{one.name}`", words.wanted(one.field, "`"), f"`{words.default(one.field)}`", presets]
        yield f"| {' | '.join(map(_cell, [*row, one.meaning, one.source]))} |\n"
    yield "\n"


def _cell(text: str) -> str:
    """A text as an entry of a table."""
    return text.replace("|", "\\|").replace("``", "`")
