"""What differs between two versions of a result, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.store.records import Manifest

OTHER_SCHEME = "made by an earlier version, which computed keys in another way"
"""Then hashes of code cannot be compared."""


def of_sources(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Files whose code differs, from their hashes."""
    words = {(True, True): "changed", (True, False): "is new", (False, True): "is no longer used"}
    files = sorted(file for file in now.keys() | then.keys() if now.get(file) != then.get(file))
    return [f"{file} {words[file in now, file in then]}" for file in files]


def of_code(then: Manifest, now: Manifest) -> list[str]:
    """Code, data and `NUMBERS` of two runs."""
    if then.scheme != now.scheme:
        return ["the code may: its hashes were computed in different ways"]
    files, numbers = of_data(then.data, now.data), of_numbers(then.numbers, now.numbers)
    return [*of_sources(then.sources, now.sources), *files, *numbers]


def of_data(then: str | None, now: str | None) -> list[str]:
    """Hashes of the dataset's files; empty where they are the official ones, None where they are not here."""
    if then == now:
        return []
    if now is None:
        return ["the dataset's files are not here"]
    how = {(True, False): ": official ones → any (verify)", (False, True): ": any → official ones (verify)"}
    return [f"the dataset's files{how.get((then == '', now == ''), ' changed')}"]


def of_values(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Values of names that both have."""
    return [f"{name}: {then[name]} → {now[name]}" for name in now if name in then and then[name] != now[name]]


def of_options(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Values of names that either has."""
    names = {name: "absent" for name in {**then, **now}}
    return of_values({**names, **then}, {**names, **now})


def of_numbers(then: int | None, now: int | None) -> list[str]:
    """`NUMBERS`, if both are known."""
    return [f"NUMBERS of harness/grid/keys.py: {then} → {now}"] if None not in (then, now) and then != now else []
