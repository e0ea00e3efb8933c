"""What the person reads: any text, under any locale, and never one that the terminal would obey."""

from __future__ import annotations

import codecs
import io
import os
import shutil
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from harness.errors import clean

ItemT = TypeVar("ItemT")

PLAIN = {
    **{"→": "->", "×": "x", "–": "-", "±": "+/-", "…": "...", "·": "*", "−": "-", "²": "2", "₁": "1", "₂": "2"},
    **{"━": "=", "─": "-"},
    **{"√": "sqrt", "Δ": "delta", "φ": "phi", "β": "beta", "γ": "gamma", "δ": "delta", "τ": "tau", "Σ": "sum"},
}
"""Signs that the bench prints -> what stands for them where the terminal's encoding has none of them."""

SHARED = "DKD_SHARED_TERMINAL"
"""Set in the environment of commands whose terminal others write to at the same time: then no line is drawn over."""
BAR = range(8, 25)
"""Letters that a bar may have."""
REDRAW_SECONDS = 0.1
"""How often a bar moves: drawing is not for nothing."""


def prepare() -> None:
    """Let output and errors show whatever they are given: a locale may have few letters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="dkd.plain")


def plain(text: str) -> str:
    """A text as it will stand on the terminal, whose letters may be fewer: to be measured before it is folded."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "dkd.plain").decode(encoding)


def say(text: str, err: bool = False) -> None:
    """One line for the person, or several, cleaned: on the error output if ``err``."""
    stream = sys.stderr if err else sys.stdout
    stream.write(clean(text) + "\n")
    stream.flush()


def shared() -> bool:
    """Whether other processes write to the same terminal."""
    return SHARED in os.environ


class LastLine:
    """How far something is, on the last line of a terminal: drawn over by the next state, and by what is said.

    Nothing is drawn where nobody looks, or where others write to the same terminal. Drawn when asked to: a thread that
    redraws would take its time from what is measured.
    """

    def __init__(self) -> None:
        # Asked of the output itself: libraries take a pipe for a terminal where an environment variable says so.
        self.watched = sys.stdout.isatty() and not shared()

    def show(self, done: float, state: str, name: str = "") -> None:
        """Draw a bar filled to the share ``done``, ``state``, and of ``name`` the end that there is room for."""
        if self.watched:
            columns = shutil.get_terminal_size().columns - 1  # in the last one some terminals begin a new line
            self._write("\r\x1b[2K" + plain(clean(_fitted(done, state, name, columns)))[:columns])

    def clear(self) -> None:
        """Take it away."""
        if self.watched:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def progress(items: Iterable[ItemT], total: int, what: str) -> Iterator[ItemT]:
    """The items, while a terminal shows how many of the ``total`` are done and how long the others will take."""
    line, began, drawn = LastLine(), time.monotonic(), 0.0
    try:
        for done, item in enumerate(items):
            if time.monotonic() - drawn >= REDRAW_SECONDS:
                drawn = time.monotonic()
                left = f"  {time_left(began, done, total)}" if done else ""
                line.show(done / total, f"{done}/{total}{left}", what)
            yield item
    finally:
        line.clear()


def time_left(began: float, done: int, total: int) -> str:
    """How long the rest of ``total`` will take, if ``done`` of them, at least one, took since ``began`` (monotonic)."""
    seconds = int((time.monotonic() - began) / done * (total - done))
    return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d} left"


def _fitted(done: float, state: str, name: str, columns: int) -> str:
    """Bar, state and name within ``columns``: the state is told first, then comes the bar, then the name's end."""
    room = columns - len(state) - 2
    if room < BAR.start:
        return state
    width = min(room, BAR.stop - 1)
    filled = round(min(1.0, done) * width)
    line, room = "━" * filled + "─" * (width - filled) + "  " + state, room - width - 2
    if room < BAR.start or not name:
        return line
    return f"{line}  {name if len(name) <= room else '…' + name[1 - room :]}"


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(PLAIN.get(letter) or ascii(letter)[1:-1] for letter in letters), error.end


codecs.register_error("dkd.plain", _plain)
