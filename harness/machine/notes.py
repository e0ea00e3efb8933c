"""Notes that say who holds something on this node: a file that its owner keeps locked. Never imports torch.

They lie where others may write too, so nothing is followed, waited for, or believed.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import stat
from pathlib import Path

from harness.errors import UserError, one_line

LIMIT = 4096
"""Bytes of a note that are read."""
STRANGE = (errno.ELOOP, errno.EISDIR, errno.ENXIO)
"""How the system refuses to open a link, a folder and a pipe."""


def take(path: Path, name: str) -> int | None:
    """Lock the note and say in it that this process holds it; None if another process does.

    Gives the open file: the lock ends when it is closed, or with the process, however that dies. Raises UserError if
    something else lies in its place, which is left as it is.
    """
    if (file := _lock(path, fcntl.LOCK_EX)) is not None:
        os.ftruncate(file, 0)
        os.write(file, json.dumps({"pid": os.getpid(), "name": name}).encode())
    return file


def keep_free(path: Path) -> int | None:
    """Keep everybody from taking the note, ourselves included, as several may at once; None if somebody has it.

    Gives the open file, and raises UserError, like `take`.
    """
    return _lock(path, fcntl.LOCK_SH)


def held(path: Path) -> bool:
    """Whether somebody has taken the note, or something else is in its place."""
    try:
        file = _open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    except (OSError, UserError):
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False


def holder(path: Path) -> str:
    """Who holds the note, as it says itself."""
    try:
        with os.fdopen(_open(path, os.O_RDONLY), "rb") as file:
            entry = json.loads(file.read(LIMIT))
        return one_line(f"process {entry['pid']} {entry['name']}").rstrip()
    except (OSError, UserError, ValueError, LookupError, TypeError, RecursionError):
        return "another process"  # it has the lock and is about to write its name


def _lock(path: Path, kind: int) -> int | None:
    """The open file with its lock; None if another process has one that excludes it."""
    file = _open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file


def _open(path: Path, flags: int) -> int:
    """Open a file of ours alone, and change nothing in it; raise UserError for anything else."""
    try:
        file = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in STRANGE:
            raise
        raise UserError(f"{path}: not a file of ours; remove it") from None
    about = os.fstat(file)
    if stat.S_ISREG(about.st_mode) and about.st_uid == os.getuid() and about.st_nlink == 1:
        return file
    os.close(file)
    raise UserError(f"{path}: not a file of ours; remove it")
