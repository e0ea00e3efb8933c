"""The hash of many files, which are read again only after one of them changed."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from harness.store.atomic import write_bytes
from harness.store.checksums import sha256
from harness.store.records import to_json

SETTLED = 2.0
"""Seconds since the last change of a file after which a further change shows in its times, on any file system."""


def digest(note: Path, folder: Path, files: Iterable[Path], told: Callable[[dict[str, str]], object] = dict) -> str:
    """The hash of the files' contents; they are read only if one has another size or time than in the note.

    Args:
        note: the file that remembers.
        folder: in which the files are.
        files: all of them.
        told: from name -> sha256 to what the hash is of.

    Raises OSError.
    """
    looks = {file.relative_to(folder).as_posix(): file.stat() for file in files}
    seen = hashed([[name, look.st_size, look.st_mtime_ns, look.st_ctime_ns] for name, look in looks.items()])
    with contextlib.suppress(OSError, ValueError):
        known, found = note.read_text(encoding="utf-8").split()
        if known == seen:
            return found
    found = hashed(told({name: sha256(folder / name) for name in looks}))
    if looks and max(look.st_ctime for look in looks.values()) < time.time() - SETTLED:
        with contextlib.suppress(OSError):  # a folder that others look after: then it takes its time again
            write_bytes(note, f"{seen} {found}\n".encode())
    return found


def hashed(value: object) -> str:
    """The sha256 of a value, as JSON writes it."""
    return hashlib.sha256(to_json(value).encode()).hexdigest()
