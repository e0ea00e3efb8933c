"""A disk that can be filled: a small tmpfs where mounting is allowed, else a limit on the size of each file."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests import processes


class Disk:
    """A folder, and a way to leave the commands that write into it only so much room."""

    def __init__(self, folder: Path, mounted: bool) -> None:
        self.folder, self.mounted = folder, mounted
        self._filler = folder / ".filler"
        self._limit: int | None = None

    def leave(self, size: int) -> None:
        """Leave ``size`` bytes."""
        if not self.mounted:
            self._limit = size
            return
        space = os.statvfs(self.folder)
        self._filler.write_bytes(bytes(space.f_bavail * space.f_frsize - size))

    def free(self) -> None:
        """Give all space back."""
        self._limit = None
        self._filler.unlink(missing_ok=True)

    def allow_writing(self, allowed: bool) -> bool:
        """Whether writing can be forbidden here: by mounting again, or by permissions, which do not stop root."""
        if self.mounted:
            subprocess.run(["mount", "-o", f"remount,{'rw' if allowed else 'ro'}", str(self.folder)], check=True)
        for path in (self.folder, *self.folder.iterdir()) if not self.mounted else ():
            path.chmod(path.stat().st_mode | 0o200 if allowed else path.stat().st_mode & ~0o222)
        return self.mounted or os.geteuid() != 0

    def dkd(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """`dkd` in a process of its own."""
        return processes.run("harness", *arguments, largest_file=self._limit)


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Disk]:
    """A disk of ``size`` bytes in the new ``folder``."""
    folder.mkdir()
    mounted = False
    with suppress(OSError):
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "dkd-test", str(folder)]
        mounted = subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        yield Disk(folder, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)
