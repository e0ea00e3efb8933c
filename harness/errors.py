"""Errors meant for the person at the keyboard: one screen, no traceback."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable

SCREEN = 4000
"""Letters of a message at most: what a person can read at once."""
LINE = 300
"""Letters of a reason, as it stands in a record and a list."""


class UserError(Exception):
    """Something the user can put right. The command line prints its text and exits with status 2."""


class ConfigError(UserError):
    """A value in a configuration that cannot be used.

    Args:
        where: file and key path, such as ``digits.yaml: methods.ssd-kd.gamma``.
        problem: what is wrong with the value, in one sentence.
        choices: the valid values, if they can be listed; the nearest one to ``value`` is pointed out.
    """

    def __init__(self, where: str, problem: str, value: object = None, choices: Iterable[object] = ()) -> None:
        super().__init__(f"{where}: {problem}{suggest(value, choices)}")


def suggest(value: object, choices: Iterable[object]) -> str:
    """Text that lists ``choices`` and names the one nearest to ``value``; empty without choices."""
    names = [str(choice) for choice in choices]
    return f"\n  valid choices: {', '.join(names)}{nearest(value, names)}" if names else ""


def nearest(value: object, names: Iterable[str]) -> str:
    """Text that asks whether the one of ``names`` was meant that is nearest to ``value``; empty where none is near."""
    near = like(str(value), names, cutoff=0.5)
    return f"\n  did you mean: {near[0]}" if near else ""


def like(value: str, names: Iterable[str], cutoff: float = 0.6) -> list[str]:
    """Those of ``names`` that are like ``value``, the likest first: of equals the one that begins most like it."""

    def likeness(name: str) -> tuple[float, int]:
        alike = itertools.takewhile(lambda letters: letters[0] == letters[1], zip(name, value, strict=False))
        return difflib.SequenceMatcher(None, name, value).ratio(), len(list(alike))

    known = list(dict.fromkeys(names))
    if same := [name for name in known if name.casefold() == value.casefold()]:
        return same
    close = difflib.get_close_matches(value, known, len(known) or 1, cutoff)
    return sorted(sorted(close, key=known.index), key=likeness, reverse=True)


def clean(text: str, limit: int = SCREEN) -> str:
    """``text`` as it may be shown and kept: what is not printable escaped, and at most about ``limit`` letters of it.

    Line breaks stay, tabs become spaces. Terminal codes, marks of direction and lone surrogates do not get through; of
    a long text the middle is left out, since both its beginning and its end tell something.
    """
    text = _shortened(text, limit)
    lines = (line.replace("\t", "    ") for line in text.split("\n"))
    return _shortened("\n".join(line if line.isprintable() else "".join(map(_escaped, line)) for line in lines), limit)


def one_line(text: str, limit: int = LINE) -> str:
    """``text`` cleaned, on one line."""
    return clean(" ".join(_shortened(text, 4 * limit).split()), limit)


def describe(error: BaseException, limit: int = LINE) -> str:
    """What an exception is and says, on one line; one whose text cannot be had is told by its type alone."""
    try:
        text = str(error)
    except Exception:  # noqa: BLE001  (a method's own exception may do anything when it is printed)
        text = "it cannot say why"
    return one_line(f"{type(error).__name__}: {_shortened(text, 4 * limit)}" if text else type(error).__name__, limit)


def _shortened(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = limit * 2 // 3
    return f"{text[:head]} [{len(text) - limit} letters left out] {text[head - limit :]}"


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
