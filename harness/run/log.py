"""The log of a run: what a person reads when something went wrong."""

from __future__ import annotations

from harness.errors import clean
from harness.store import atomic
from harness.store.layout import RunFolder

LONGEST = 50_000
"""Letters of one entry, at most: a traceback may be long."""


def append(run: RunFolder, text: str) -> None:
    """Add ``text`` at the log's end."""
    atomic.append_text(run.log, clean(text, LONGEST))
