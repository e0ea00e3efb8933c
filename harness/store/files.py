"""Opens files that somebody else may have put there: regular ones alone, and no more of them than is sane."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path

MOST = 64 * 2**20
"""Bytes of a record; ten thousand evaluations, with all the losses that the longest may name, stay below it."""


@contextmanager
def opened(path: Path, follow: bool = True) -> Iterator[BufferedReader]:
    """A regular file, open for reading; without ``follow`` a symbolic link is refused too.

    Raises OSError for anything else: a pipe would be waited for, a device read without end.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    try:
        handle = os.open(path, flags)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        text = "symbolic links in a circle" if follow else "a symbolic link"
        raise OSError(errno.ELOOP, text, str(path)) from None
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    with os.fdopen(handle, "rb") as file:
        yield file


def content(path: Path, most: int = MOST, last: int | None = None) -> bytes:
    """All of a regular file, or its ``last`` bytes. Raises OSError, also if it has more than ``most`` bytes."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"more than {most / 2**20:,.0f} MiB", str(path))
        if last is not None and size > last:
            file.seek(-last, os.SEEK_END)
        return file.read(most)


def there(path: Path) -> bool:
    """Whether something bears this name, readable or not: what cannot be looked at is not taken for missing."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
