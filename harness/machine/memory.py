"""The most memory that a process held, in bytes wherever it runs."""

from __future__ import annotations

import resource
import sys


def peak(usage: resource.struct_rusage | None = None) -> int:
    """Bytes of main memory at the peak of what ``usage`` is about, which is this process unless given."""
    largest = (usage or resource.getrusage(resource.RUSAGE_SELF)).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024
