"""What a user says of a file's keys: patterns that leave some out, and patterns that rename the rest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.errors import UserError
from harness.wording import some

SHOWN = 5
"""Keys named in an error."""


@dataclass(frozen=True)
class KeyRules:
    """What a user says of a file's keys.

    Attributes:
        entry: the one that holds the weights, names joined by dots; needed where several may be meant.
        drops: regular expressions; keys in which one of them is found are left out, before any is renamed.
        renamings: ``pattern=replacement`` each, regular expressions applied to the keys in this order.
        in_order: where no layout is recognised, take the tensors one after the other, if their shapes allow it.
    """

    entry: str | None = None
    drops: Sequence[str] = ()
    renamings: Sequence[str] = ()
    in_order: bool = False


AS_THEY_ARE = KeyRules()


def renamed(keys: list[str], rules: KeyRules) -> dict[str, str]:
    """New name -> key in the file, for all that are not left out.

    Raises UserError for a pattern that is none, or is found nowhere, and for keys that fall together.
    """
    names = keys = _kept(keys, rules.drops)
    for renaming in rules.renamings:
        names = _substituted(names, renaming)
    return _distinct(keys, names)


def _substituted(names: list[str], renaming: str) -> list[str]:
    text, equals, replacement = renaming.partition("=")
    if not equals:
        raise UserError(f"--rename {renaming}: write it as pattern=replacement, such as --rename '^module\\.='")
    pattern = _pattern("--rename", renaming, text)
    if not any(pattern.search(name) for name in names):
        raise UserError(f"--rename {renaming}: found in none of {listed(names)}")
    try:
        return [pattern.sub(replacement, name) for name in names]
    except (re.error, IndexError) as error:
        raise UserError(f"--rename {renaming}: {error}") from None


def _kept(keys: list[str], drops: Sequence[str]) -> list[str]:
    for drop in drops:
        pattern = _pattern("--drop", drop, drop)
        left = [key for key in keys if not pattern.search(key)]
        if left == keys:
            raise UserError(f"--drop {drop}: found in none of {listed(keys)}")
        keys = left
    return keys


def _distinct(keys: list[str], names: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    collisions = []
    for key, name in zip(keys, names, strict=True):
        if name in found:
            collisions.append(f"{found[name]} and {key} would both be {name}")
        found.setdefault(name, key)
    if collisions:
        shown = "\n  ".join(some(collisions, SHOWN))
        raise UserError(f"--rename lets keys fall together; --drop pattern leaves some out\n  {shown}")
    return found


def _pattern(option: str, given: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise UserError(f"{option} {given}: not a regular expression: {error}") from None


def listed(keys: Iterable[str]) -> str:
    """How many keys there are, and the first of them."""
    keys = list(keys)
    shown = ", ".join(keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")
    return f"{len(keys)} {'key' if len(keys) == 1 else 'keys'}" + f" ({shown})" * bool(keys)
