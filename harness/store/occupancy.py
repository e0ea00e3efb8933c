"""Who is working in a folder of a run or a teacher, and how far that is."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from harness.machine import facts
from harness.store import reading
from harness.store.layout import RunFolder
from harness.store.records import Manifest, Progress

FRESH = 60.0
"""Seconds after which the progress of another machine no longer proves that its process lives."""

_say = partial(print, flush=True)


@contextmanager
def hold(lock: Path, what: str, report: Callable[[str], object] = _say) -> Iterator[float]:
    """Hold a lock, waiting while another process does; gives the seconds waited.

    Args:
        lock: the file; its folder is made.
        what: named while this process waits, such as the cell.
        report: told that it waits.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    held = FileLock(lock)
    start = time.monotonic()
    try:
        held.acquire(blocking=False)
    except Timeout:
        report(f"{what}: another process is at work on it; waiting")
        held.acquire()
    try:
        yield time.monotonic() - start
    finally:
        held.release()


def progress(run: RunFolder) -> Progress | None:
    """How far an unfinished run is, as far as it can be told."""
    return reading.read_intact(run.progress, Progress)


def working(run: RunFolder) -> bool:
    """Whether a process is working in the folder of ``run``.

    It holds the lock; or, on another machine, whose locks may not reach this one, it wrote its progress lately.
    """
    return _locked(run.lock) or (_elsewhere(run) and _fresh(run))


def _locked(lock: Path) -> bool:
    # The kernel frees the lock when its process dies, so the file, which stays, says nothing. A shared lock that is
    # given back at once disturbs nobody.
    try:
        with lock.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def _fresh(run: RunFolder) -> bool:
    latest = progress(run)
    return latest is not None and time.time() - latest.time < FRESH


def _elsewhere(run: RunFolder) -> bool:
    manifest = reading.read_intact(run.manifest, Manifest)
    return manifest is not None and any(attempt.host != facts.host() for attempt in manifest.attempts[-1:])
