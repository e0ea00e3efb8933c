"""Where the weights are in what a checkpoint holds: names and tensors, often inside another dictionary."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from torch import Tensor

from harness.errors import UserError, suggest

SHOWN = 12
"""Entries of a dictionary that an error lists."""


def weights_in(content: object, key: str | None, say: Callable[[str], object]) -> dict[str, Tensor]:
    """The one dictionary of names and tensors in ``content``, or in its entry ``key``.

    Args:
        content: what a file holds.
        key: names of entries, joined by dots; None for all of it.
        say: told where the weights were, and what lies between them and is left out.

    Raises UserError that lists what is there, if that is no dictionary of tensors or several.
    """
    start = _entry(content, key) if key else content
    prefix = f"{key}." if key else ""
    found = _candidates(start)
    if not found:
        raise UserError(f"not a state dict: expected names and tensors, found {_described(start)}")
    if len(found) > 1:
        listed = ", ".join(f"{prefix}{place} ({len(entries)} entries)" for place, entries in found.items())
        raise UserError(f"several dictionaries of tensors: {listed}\n  choose one: --key {prefix}{next(iter(found))}")
    ((place, entries),) = found.items()
    if place:
        say(f"weights are those under {prefix}{place}")
    if others := [name for name, value in entries.items() if not isinstance(value, Tensor)]:
        say(f"left out, being no tensors: {', '.join(others[:SHOWN])}")
    return {name: value for name, value in entries.items() if isinstance(value, Tensor)}


def _candidates(content: object) -> dict[str, Mapping[str, Any]]:
    """Place -> dictionary, for those nearest to the top that hold tensors alone; failing these, any that hold some."""
    dictionaries = list(_dictionaries(content))
    for wanted in (_pure, _mixed):
        found = [(place, entries) for place, entries in dictionaries if wanted(entries)]
        if found:
            nearest = min(len(place) for place, _ in found)
            return {".".join(place): entries for place, entries in found if len(place) == nearest}
    return {}


def _pure(entries: Mapping[str, Any]) -> bool:
    return _mixed(entries) and all(isinstance(value, Tensor) for value in entries.values())


def _mixed(entries: Mapping[str, Any]) -> bool:
    """Whether there are weights: an accuracy that was saved as a tensor is none."""
    return any(isinstance(value, Tensor) and value.dim() for value in entries.values())


def _dictionaries(content: object) -> Iterator[tuple[tuple[str, ...], Mapping[str, Any]]]:
    """All dictionaries with names for keys, each once, those nearest to the top first."""
    queue: deque[tuple[tuple[str, ...], object]] = deque([((), content)])
    seen: set[int] = set()
    while queue:
        place, entries = queue.popleft()
        if not isinstance(entries, dict) or id(entries) in seen or not all(isinstance(name, str) for name in entries):
            continue
        seen.add(id(entries))
        yield place, entries
        queue.extend(((*place, name), value) for name, value in entries.items())


def _entry(content: object, key: str) -> object:
    for name in key.split("."):
        if not isinstance(content, dict) or name not in content:
            choices = list(content)[:SHOWN] if isinstance(content, dict) else ()
            raise UserError(f"--key {key}: there is no {name!r}{suggest(name, choices)}")
        content = content[name]
    return content


def _described(content: object) -> str:
    if not isinstance(content, dict):
        return f"a {type(content).__name__}"
    if not content:
        return "an empty dictionary"
    entries = [f"{name} ({type(value).__name__})" for name, value in list(content.items())[:SHOWN]]
    more = ", ..." if len(content) > SHOWN else ""
    return f"{', '.join(entries)}{more}; --key NAME picks an entry, names joined by dots"
