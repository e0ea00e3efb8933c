"""Errors meant for the person at the keyboard: one screen, no traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


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
    if not names:
        return ""
    near = difflib.get_close_matches(str(value), names, n=1, cutoff=0.5)
    hint = f"\n  did you mean: {near[0]}" if near else ""
    return f"\n  valid choices: {', '.join(names)}{hint}"
