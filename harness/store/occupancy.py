"""Who is working in a folder of a run or a teacher, and how far that is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import Timeout

from harness.machine import facts, locks
from harness.store import reading
from harness.store.layout import RunFolder
from harness.store.records import Manifest, Progress
from harness.terminal import say

FRESH = 60.0
"""Seconds after which the progress of another machine no longer proves that its process lives."""


@contextmanager
def hold(lock: Path, what: str, report: Callable[[str], object] = say, timeout: float | None = None) -> Iterator[float]:
    """Hold a lock, waiting while another process does; gives the seconds waited.

    Args:
        lock: the file; its folder is made.
        what: named while this process waits, such as the cell.
        report: told that it waits.
        timeout: seconds to wait at most; for ever if None. Raises Timeout then.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = locks.lock(lock)
    start = time.monotonic()
    try:
        held.acquire(blocking=False)
    except Timeout:
        report(f"{what}: another process is at work on it; waiting")
        held.acquire(timeout=-1 if timeout is None else timeout)
    try:
        yield time.monotonic() - start
    finally:
        held.release()


def progress(run: RunFolder) -> Progress | None:
    """How far an unfinished run is, as far as it can be told."""
    return reading.read_intact(run.progress, Progress)


def working(run: RunFolder) -> bool:
    """Whether a process is working in the folder of ``run``.

    It holds the lock; or, where locks do not tell, on another machine or in a colleague's folder, it wrote its progress
    lately.
    """
    held = locks.held(run.lock)
    return bool(held) or ((held is None or _elsewhere(run)) and _fresh(run))


def _fresh(run: RunFolder) -> bool:
    latest = progress(run)
    # One from the future is of a wrong clock, and would prove its process alive until then.
    return latest is not None and abs(time.time() - latest.time) < FRESH


def _elsewhere(run: RunFolder) -> bool:
    manifest = reading.read_intact(run.manifest, Manifest)
    return manifest is not None and any(attempt.host != facts.host() for attempt in manifest.attempts[-1:])
