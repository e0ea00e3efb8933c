"""Numbers of things, and the first of many, as people read them."""

from __future__ import annotations

from collections.abc import Sequence


def count(number: int, thing: str) -> str:
    """``1 cell``, ``2 cells``, ``1,024 cells``."""
    return f"{number:,} {thing}{'s' * (number != 1)}"


def some(items: Sequence[str], most: int) -> list[str]:
    """The first ``most`` of several items, and one that says how many more there are, if there are."""
    left = len(items) - most
    return [*items[:most], f"and {left:,} more"] if left > 0 else list(items)
