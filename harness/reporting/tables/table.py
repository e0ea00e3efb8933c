"""A table as plain data, before it is written as md, tex or html."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.reporting import text


@dataclass(frozen=True)
class Entry:
    """One printed number, title or heading."""

    text: str
    marks: tuple[str, ...] = ()
    """Letters of its footnotes."""
    link: str | None = None
    """Name of the row whose runs stand behind it."""
    best: bool = False
    """Whether no other method of its column is better, as far as seeds tell."""


NOTHING = Entry(text.NOTHING)


@dataclass(frozen=True)
class Column:
    """A pair at a data scale, with its quantities side by side."""

    title: Entry
    """Empty where the quantities speak for themselves."""
    quantities: tuple[Entry, ...]


@dataclass(frozen=True)
class Line:
    """A label, and one entry per quantity of every column."""

    title: Entry
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Block:
    """As many columns as fit side by side."""

    title: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """Blocks that share footnotes and notes."""

    name: str
    """File name without its ending."""
    title: str
    blocks: tuple[Block, ...]
    footnotes: Mapping[str, str]
    """Letter -> text."""
    notes: tuple[str, ...]
    """What holds for the whole table: protocol, teachers, device, code."""
    csv: str
    """All of its numbers and where they come from, a line per row of the study."""


@dataclass
class Footnotes:
    """Footnotes get their letters in reading order; equal ones share a letter."""

    letters: dict[str, str] = field(default_factory=dict)
    """Text -> letter."""

    def mark(self, notes: Sequence[str]) -> tuple[str, ...]:
        """The letters of ``notes``."""
        return tuple(self.letters.setdefault(note, text.letters(len(self.letters))) for note in notes)

    @property
    def texts(self) -> dict[str, str]:
        """Letter -> text."""
        return {letter: note for note, letter in self.letters.items()}
