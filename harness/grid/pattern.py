"""What a pattern means: a part of a cell's name, a shell pattern of all of it, or a key. All commands ask here."""

from __future__ import annotations

import fnmatch
import itertools
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from harness.errors import UserError, like
from harness.explain import brief
from harness.store import reading
from harness.store.layout import CellFolder, RunFolder, words_of
from harness.store.records import Manifest, Metrics

T = TypeVar("T")

SHORTEST = 6
"""Digits of a key that are enough to name it, if no other key begins with them."""
NEAR = 5
"""Suggestions at most."""
TRIED = 1000
"""Combinations of near words that are looked at."""
_SHELL = re.compile(r"[*?\[]")
_DIGITS = re.compile(r"[0-9a-f]+")


def matching(pattern: str, items: Iterable[tuple[str, T]], keys: Callable[[T], Iterable[str]]) -> list[T]:
    """The items that ``pattern`` means, in their order; empty if it means none of them.

    With one of * ? [ in it a pattern is for whole names. Anything else is a part of a name, in whole words between
    slashes, such as ``ssd-kd/scale-10``, or, where no name has such a part, a key or the beginning of one.

    Args:
        pattern: what the person wrote.
        items: with the names of their cells.
        keys: those of an item, cell keys and plan keys alike; only asked for where no name fits.

    Raises UserError for the beginning of several keys.
    """
    listed = list(items)
    found = [item for name, item in listed if _fits(pattern, name)]
    return found or of_key(pattern, (item for _, item in listed), keys)


def of_key(text: str, items: Iterable[T], keys: Callable[[T], Iterable[str]]) -> list[T]:
    """The items of which ``text`` is a key, or at least `SHORTEST` digits that begin one.

    Raises UserError if they begin several.
    """
    if len(text) < SHORTEST or not _DIGITS.fullmatch(text):
        return []
    found = [(item, {key for key in keys(item) if key.startswith(text)}) for item in items]
    begun = sorted(set().union(*(meant for _, meant in found)))
    if len(begun) > 1:
        raise UserError(f"{text} begins {len(begun)} keys: {', '.join(begun[:NEAR])}\n  give more digits")
    return [item for item, meant in found if meant]


def keys_of(folder: CellFolder | RunFolder) -> Iterator[str]:
    """Cell keys and plan keys of a run, or of all runs of a cell and of its result."""
    if isinstance(folder, RunFolder):
        yield folder.key
        record: Manifest | Metrics | None = reading.read_intact(folder.manifest, Manifest)
    else:
        for run in folder.runs():
            yield from keys_of(run)
        record = reading.read_intact(folder.metrics, Metrics)
    yield from (record.key, record.plan_key) if record else ()


def nothing(pattern: str, names: Collection[str], where: str, more: str = "") -> UserError:
    """What to say when ``pattern`` means none of the cells ``names``, which are those of ``where``."""
    return UserError(f"no cell matches {brief(pattern)!r} in {where}{_advice(pattern, names)}{more}")


def _fits(pattern: str, name: str) -> bool:
    if _SHELL.search(pattern):
        return fnmatch.fnmatchcase(name, pattern)
    return f"/{pattern.strip('/')}/" in f"/{name}/"


def _advice(pattern: str, names: Collection[str]) -> str:
    """What may have been meant, or else how names look."""
    if _SHELL.search(pattern) and (wider := _wider(pattern, names)):
        return f"\n  a shell pattern is for the whole name: did you mean '{wider}'"
    if near := _near(pattern, names):
        return f"\n  did you mean: {', '.join(near)}"
    short = len(pattern) < SHORTEST and _DIGITS.fullmatch(pattern) and not pattern.isalpha()
    key = f"\n  of a key, give {SHORTEST} digits or more" if short else ""
    return key + (f"\n  a name looks like this: {next(iter(names))}" if names else "")


def _wider(pattern: str, names: Collection[str]) -> str | None:
    """The pattern with whatever comes before and behind, where that means something."""
    core = pattern.strip("/")
    tried = (f"*/{core}", f"{core}/*", f"*/{core}/*", f"*/{core}*")
    return next((wide for wide in tried if any(fnmatch.fnmatchcase(name, wide) for name in names)), None)


def _near(pattern: str, names: Collection[str]) -> list[str]:
    """Parts of names that ``pattern`` may have meant: every word the nearest that names have, or one that holds it."""
    words = words_of(pattern)
    known = dict.fromkeys(word for name in names for word in words_of(name))
    there = {part for name in names for part in parts(words_of(name), len(words))}
    nearest = itertools.product(*(_near_words(word, known) for word in words))
    return [part for part in map("/".join, itertools.islice(nearest, TRIED)) if part in there][:NEAR]


def _near_words(word: str, known: Collection[str]) -> list[str]:
    if word in known:
        return [word]
    longer = [other for other in known if word.casefold() in other.casefold()]
    return list(dict.fromkeys([*like(word, known), *longer]))[:NEAR]


def parts(words: list[str], length: int) -> Iterator[str]:
    """The parts of a name that have so many words."""
    for start in range(len(words) - length + 1):
        yield "/".join(words[start : start + length])
