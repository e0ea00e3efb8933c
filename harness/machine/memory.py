"""Main memory, in bytes: the most that a process held, what there is for it, and how what is freed is used again."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.machine import groups

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Names of what can be set. Source: Linux, mallopt(3)."""


def keep_freed() -> None:
    """Let this process keep memory that it frees, where the C library is glibc; its peak is then somewhat higher.

    glibc maps every tensor above 32 MiB anew and gives it back when it is freed, so that each of its pages costs a page
    fault at each use: half of the time of a test set's evaluation in batches of 1,000 CIFAR images (docs/speed.md).
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)


def peak(usage: resource.struct_rusage | None = None) -> int:
    """Bytes of main memory at the peak of what ``usage`` is about, which is this process unless given."""
    largest = (usage or resource.getrusage(resource.RUSAGE_SELF)).ru_maxrss
    return largest if sys.platform == "darwin" else largest * 1024


def available(root: Path = Path("/")) -> int:
    """Bytes that this process may come to hold: the machine's, or fewer where a job or a container has a limit."""
    return min(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_limits(root))


def _limits(root: Path) -> Iterator[int]:
    """Of the control groups, beside the largest number there is; Linux, cgroups(7)."""
    yield sys.maxsize
    for folder in groups.folders("memory", root):
        for name in ("memory.max", "memory.limit_in_bytes"):
            yield from (int(word) for word in groups.said(folder / name) if word.isdigit())  # "max" is no limit
