"""Who runs the bench: a name and a home, which containers may not give; and what others may do with the files."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from pathlib import Path

os.umask(_UMASK := os.umask(0))
READABLE = 0o666 & ~_UMASK
"""Mode that umask gives a file, whatever the library that made it thought."""


def missing() -> Iterator[tuple[str, str]]:
    """What this user lacks and other programs ask for, Snakemake before it reads a file: the fact, and a remedy."""
    if not (any(map(os.environ.get, ("LOGNAME", "USER", "LNAME", "USERNAME"))) or _has_name(os.getuid())):
        yield f"user id {os.getuid()} has no name", "export USER=dkd"
    place = cache()
    if not _can_make(place):
        yield (
            f"{place} cannot be made, which is where programs keep what they may lose",
            (f"export XDG_CACHE_HOME={Path.cwd() / '.snakemake/cache'}"),
        )


def cache() -> Path:
    """Where programs keep what they may lose."""
    given = os.environ.get("XDG_CACHE_HOME")
    return Path(given) if given else Path(os.path.expanduser("~")) / ".cache"


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _can_make(folder: Path) -> bool:
    """Whether a folder can be written, or made: judged by what exists of its path."""
    there = next((parent for parent in (folder, *folder.parents) if parent.exists()), Path("/"))
    return folder.is_absolute() and there.is_dir() and os.access(there, os.W_OK | os.X_OK, effective_ids=True)
