"""A process that dies hard at a chosen operation on its files, and one that is left in peace."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = ("os.rename", "os.remove", "os.truncate")
KILLED = 137


def run(
    work: Callable[[], object], folder: Path, die_at: int | None = None, torn: bool = False
) -> tuple[int, int, float]:
    """Do ``work`` in a child process; its exit code, how many operations it did, and how many seconds it took.

    Operations are what changes files under ``folder``: opening for writing, fsync, rename, removal. The child dies
    instead of operation ``die_at``, counted from 0. With ``torn`` a file that was about to be fsynced is cut first, as
    after a loss of power.
    """
    reader, writer = os.pipe()
    start = time.monotonic()
    child = os.fork()
    if not child:
        os.close(reader)
        _child(work, folder, die_at, torn, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        counted = pipe.read()
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), len(counted), time.monotonic() - start


def _child(work: Callable[[], object], folder: Path, die_at: int | None, torn: bool, writer: int) -> None:
    """Never returns. Every operation is a byte in the pipe, so that none is lost with the process."""
    import harness

    harness.STARTED = time.monotonic()
    done = 0
    code = 1

    def count(path: object, handle: int | None = None) -> None:
        nonlocal done
        if not str(path).startswith(str(folder)):
            return
        if done == die_at:
            if torn and handle is not None and os.fstat(handle).st_size > 9:
                os.ftruncate(os.open(str(path), os.O_WRONLY), os.fstat(handle).st_size - 9)
            os._exit(KILLED)
        done += 1
        os.write(writer, b".")

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        opened = event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITES
        if opened or event in CHANGES:
            count(arguments[0])

    plain = os.fsync

    def fsync(handle: Any) -> None:
        number = handle if isinstance(handle, int) else handle.fileno()
        path = os.readlink(f"/proc/self/fd/{number}")
        count(path, None if os.path.isdir(path) else number)
        plain(number)

    os.fsync = fsync
    with open(os.devnull, "w", encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), 1)
    sys.addaudithook(look)
    try:
        work()
        code = 0
    finally:
        os._exit(code)
