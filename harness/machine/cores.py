"""How many cores this process may keep busy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from harness.machine import groups


def available(root: Path = Path("/")) -> int:
    """The machine's, or fewer where this process is bound to some or a container has a quota; at least one."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([own, *_quotas(root)]))


def for_processes() -> int:
    """How many processes of ours may share its work: one where the system does not tell which cores are ours.

    Starting more from a process that has begun is not safe with the libraries of such a system (macOS).
    """
    return available() if hasattr(os, "sched_getaffinity") else 1


def _quotas(root: Path) -> Iterator[int]:
    """Whole cores of the microseconds that the groups may use of every period; Linux, cgroups(7)."""
    for folder in groups.folders("cpu", root):
        one = groups.said(folder / "cpu.max")
        two = [*groups.said(folder / "cpu.cfs_quota_us"), *groups.said(folder / "cpu.cfs_period_us")]
        for quota, period in filter(_two_numbers, (one, two)):  # "max" and -1 are no limit
            yield int(quota) // int(period)


def _two_numbers(words: list[str]) -> bool:
    return len(words) == 2 and all(word.isdigit() and int(word) for word in words)
