"""Numbers of things, as a sentence has them."""

from __future__ import annotations


def count(number: int, thing: str) -> str:
    """``1 cell``, ``2 cells``, ``1,024 cells``."""
    return f"{number:,} {thing}{'s' * (number != 1)}"
