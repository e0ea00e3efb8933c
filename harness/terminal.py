"""What the person reads: any text, under any locale, and never one that the terminal would obey."""

from __future__ import annotations

import codecs
import io
import sys

from harness.errors import clean

PLAIN = {"→": "->", "×": "x", "–": "-", "±": "+/-", "…": "...", "·": "*", "−": "-", "²": "2", "√": "sqrt", "Δ": "delta"}
"""Signs that the bench prints -> what stands for them where the terminal's encoding has none of them."""


def prepare() -> None:
    """Let output and errors show whatever they are given: a locale may have few letters."""
    codecs.register_error("dkd.plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="dkd.plain")


def say(text: str, err: bool = False) -> None:
    """One line for the person, or several, cleaned: on the error output if ``err``."""
    stream = sys.stderr if err else sys.stdout
    stream.write(clean(text) + "\n")
    stream.flush()


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(PLAIN.get(letter) or ascii(letter)[1:-1] for letter in letters), error.end
