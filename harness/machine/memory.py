"""Main memory, in bytes: the most that a process held, and what there is for it."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Iterator
from pathlib import Path


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
