"""Locks between processes: the kernel frees them when their process dies, however it dies."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Any

from filelock import FileLock

from harness.errors import UserError
from harness.machine.users import READABLE

NONE_TO_GIVE = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""What file systems without locks say, which are network and user-space ones."""


def lock(path: Path, **options: Any) -> FileLock:
    """The lock of this file, not yet taken; whoever umask and group allow may take it.

    Raises UserError where the file system has no locks: a substitute of files would outlive a process that is killed.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, READABLE)
    try:
        _try(handle)
    except BlockingIOError:
        pass  # held: there are locks
    except OSError as error:
        if error.errno not in NONE_TO_GIVE:
            raise
        raise UserError(
            f"{path}: this file system has no locks ({error.strerror})\n"
            "  keep results on one that has (NFS: mount with nolock removed; Lustre: -o flock; or a local disk)"
        ) from None
    finally:
        os.close(handle)
    return FileLock(path, mode=READABLE, **options)


def held(path: Path) -> bool | None:
    """Whether a process holds the lock of this file; None where that cannot be told, as it may not be read."""
    # The file stays when the lock is free, so it says nothing. The lock that is taken here is shared, given back at
    # once, and disturbs nobody.
    try:
        with path.open("rb") as file:
            _try(file.fileno())
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False


def _try(handle: int) -> None:
    fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
