"""What the person reads: any text, under any locale, and never one that the terminal would obey."""

from __future__ import annotations

import codecs
import io
import sys

from harness.errors import clean

PLAIN = {
    **{"→": "->", "×": "x", "–": "-", "±": "+/-", "…": "...", "·": "*", "−": "-", "²": "2", "₁": "1", "₂": "2"},
    **{"√": "sqrt", "Δ": "delta", "φ": "phi", "β": "beta", "γ": "gamma", "δ": "delta", "τ": "tau", "Σ": "sum"},
}
"""Signs that the bench prints -> what stands for them where the terminal's encoding has none of them."""


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


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    letters = error.object[error.start : error.end]
    return "".join(PLAIN.get(letter) or ascii(letter)[1:-1] for letter in letters), error.end


codecs.register_error("dkd.plain", _plain)
