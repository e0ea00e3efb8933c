"""What the commands print: lines, and columns under one another."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from harness.errors import clean
from harness.terminal import plain

GAP = 2
"""Spaces between two columns."""
LEAST = 30
"""Letters that the last column needs, if it shall be folded within a terminal."""


@dataclass(frozen=True)
class Columns:
    """Rows of texts under one another, without a frame."""

    rows: Sequence[Sequence[str]]
    """As many texts each."""
    indent: int = 0
    """Spaces before the first column."""
    style: Mapping[str, str] = field(default_factory=dict)
    """A first text -> how it looks on a terminal, in rich's words."""

    @cached_property
    def _texts(self) -> list[list[str]]:
        """The rows as they may be printed: an entry that has several lines would stand for several entries."""
        return [[plain(clean(text.replace("\n", " "))) for text in row] for row in self.rows]

    @property
    def widths(self) -> list[int]:
        """Letters of every column."""
        return [max(map(len, column)) for column in zip(*self._texts, strict=True)]

    def plain(self) -> Iterator[str]:
        """A line an entry, however long: for pipes, where ten thousand cells must not take seconds."""
        widths = self.widths
        for row in self._texts:
            line = (" " * GAP).join(text.ljust(width) for text, width in zip(row, widths, strict=True))
            yield (" " * self.indent + line).rstrip()

    def styled(self) -> Iterator[str]:
        """The lines for a person. Names are never cut or folded, as they are copied; the last column is folded."""
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        *fixed, last = self.widths
        used, room = sum(fixed) + GAP * len(fixed), Console().width - self.indent
        table = Table.grid(padding=(0, GAP, 0, 0))
        for width in fixed:
            table.add_column(min_width=width, no_wrap=True)
        table.add_column(overflow="fold")
        for first, *others in self._texts:
            table.add_row(Text(first, self.style.get(first, "")), *map(Text, others))
        # without a height, a terminal that says of itself that it is dumb gets 80 columns whatever the width
        console = Console(force_terminal=True, width=room if used + LEAST <= room else used + last, height=25)
        with console.capture() as captured:
            console.print(table)
        yield from (" " * self.indent + line.rstrip() for line in captured.get().splitlines())


Line = str | Columns


def columns(rows: Iterable[Sequence[str]], indent: int = 0, style: Mapping[str, str] | None = None) -> Columns:
    """The columns of these rows; see `Columns`."""
    return Columns(list(rows), indent, style or {})


def lines(items: Iterable[Line], terminal: bool | None = None) -> Iterator[str]:
    """The lines that make up texts and columns; ``terminal``: whether a person looks, which the output itself tells."""
    watched = sys.stdout.isatty() if terminal is None else terminal
    for item in items:
        if isinstance(item, str):
            yield clean(item)
        elif item.rows:
            yield from item.styled() if watched else item.plain()
