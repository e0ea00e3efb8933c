"""What a configuration may hold: values that JSON has, so that every record can keep them and give them back."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from methods.base.files import File

WHOLE = 2**63
"""Whole numbers lie below this, as in configuration files."""
DEPTH = 20
"""Of lists and mappings inside one another, at most; so too in configuration files."""
WANTED = "a configuration is kept as JSON: null, true, false, finite numbers, texts, and lists and mappings of these"


def problem(value: object, depth: int = 0) -> str | None:
    """What is wrong, and where, with a value that is no null, boolean, finite number, text, list or mapping of such."""
    if depth > DEPTH:
        return f"more than {DEPTH} lists and mappings inside one another"
    if isinstance(value, File):
        value = value.record
    if isinstance(value, BaseModel):
        value = value.model_dump()  # with what its class adds to its fields
    if isinstance(value, Mapping):
        keys = (f"the key {key!r:.60}: {WANTED}" for key in value if not isinstance(key, str))
        return next(keys, None) or _first(value.items(), depth)
    if isinstance(value, list | tuple):
        return _first(enumerate(value), depth)
    return None if _is_plain(value) else f"{type(value).__name__}: {WANTED}"


def _first(items: Iterable[tuple[object, object]], depth: int) -> str | None:
    found = ((key, problem(value, depth + 1)) for key, value in items)
    return next((f"{key}: {said}" for key, said in found if said), None)


def _is_plain(value: object) -> bool:
    if isinstance(value, str):
        return not any(0xD800 <= ord(letter) < 0xE000 for letter in value)  # of no encoding
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and abs(value) < WHOLE)
