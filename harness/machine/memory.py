"""Main memory, in bytes: the most that a process held, what there is for it, and how what is freed is used again."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path

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
    """Of Linux's control groups that the process is in, of either version; Linux, cgroups(7)."""
    yield sys.maxsize
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if not controllers:
            yield from _above(root / "sys/fs/cgroup", group, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _above(root / "sys/fs/cgroup/memory", group, "memory.limit_in_bytes")


def _above(top: Path, group: str, name: str) -> Iterator[int]:
    """What files of this name say in the folder of a group, and in those above it."""
    place = Path(group.strip("/"))
    for folder in (place, *place.parents):
        try:
            text = (top / folder / name).read_text(encoding="utf-8").strip()
        except OSError:
            continue
        if text.isdigit():  # "max" is no limit
            yield int(text)
