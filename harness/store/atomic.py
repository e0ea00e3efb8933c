"""The only code that writes, fsyncs and renames under results/: whatever happens meanwhile, a file is old or new.

A kill or a loss of power leaves what was there before, or all of what was to be there; the log alone is appended to
as it comes.
"""

from __future__ import annotations

import errno
import glob
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from harness.machine import trouble
from harness.machine.users import READABLE
from harness.store.files import opened
from harness.store.reading import intact_lines
from harness.store.records import Event, Record

ABANDONED = 3600.0
"""Seconds without a change after which nobody writes a temporary file any more."""

LOG = 8 * 2**20
"""Bytes of a log, at most."""
CUT = b"[lines were left out here: of a long log both ends stay]\n"


def write(path: Path, record: Record, durable: bool = True) -> None:
    """Write ``record`` atomically; without ``durable`` it may be lost if the machine, not the process, dies."""
    write_with(path, lambda file: file.write_bytes((record.model_dump_json(indent=1) + "\n").encode()), durable)


def write_bytes(path: Path, data: bytes) -> None:
    """Write ``data`` so that ``path`` holds either its old or its new content, whatever happens meanwhile."""
    write_with(path, lambda temporary: temporary.write_bytes(data))


def write_with(path: Path, save: Callable[[Path], object], durable: bool = True) -> None:
    """Let ``save`` write a temporary file beside ``path``, then move it there.

    The temporary name is a random one, so that two writers never share it, be they of one machine or of several. What
    killed writers of ``path`` left behind is removed.
    """
    # It lies in the same folder, because a rename is atomic within one file system alone, and its name begins with a
    # dot, so that no reader and no glob takes it for a record.
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    remove_abandoned(path.parent.glob(f".{glob.escape(path.name)}.*.tmp"))
    with _named(path):
        try:
            save(temporary)
            temporary.chmod(temporary.stat().st_mode | READABLE)  # safetensors' own keeps results from colleagues
            # First the content, then the name: the other way round a loss of power may leave the new name on an empty
            # file. The folder is synced after the rename, which is lost otherwise.
            if durable:
                _fsync(temporary)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        if durable:
            _fsync(path.parent)


def abandoned(files: Iterable[Path]) -> Iterator[Path]:
    """Those temporary files that a killed process left behind."""
    for file in files:
        with suppress(OSError):  # moved to its place meanwhile
            if time.time() - file.lstat().st_mtime > ABANDONED:
                yield file


def remove_abandoned(files: Iterable[Path]) -> None:
    """Remove those temporary files that a killed process left behind, as far as we may."""
    for file in abandoned(files):
        with suppress(OSError):
            file.unlink()


def copy(source: Path, target: Path) -> None:
    """Copy a file atomically."""
    write_with(target, lambda temporary: shutil.copyfile(source, temporary))


def take(source: Path, target: Path, most: int) -> None:
    """Copy a file of somebody else's atomically: a regular one, through no link, of at most ``most`` bytes.

    Raises OSError that names ``source`` for any other.
    """
    with opened(source, follow=False) as file:
        if os.fstat(file.fileno()).st_size > most:
            raise OSError(errno.EFBIG, f"more than {most / 2**20:,.0f} MiB", str(source))
        write_with(target, lambda temporary: temporary.write_bytes(file.read(most)))


def append_events(path: Path, events: list[Event]) -> None:
    """Append the events that the file does not hold yet; a line that was cut by a kill is removed first."""
    # Events are numbered, so counting tells what the file lacks: a run that was killed between checkpoint and append
    # writes the rest now, and one that was killed after both writes nothing twice.
    intact = intact_lines(path)
    with _named(path), path.open("ab") as file:
        file.truncate(sum(len(line) for line in intact))
        for event in events[max(0, len(intact) - (events[0].n if events else 0)) :]:
            file.write(event.model_dump_json().encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def growing(path: Path, size: int) -> Iterator[BinaryIO]:
    """A file that grows from its first ``size`` bytes on, such as a download: whatever happens, what came stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _named(path), path.open("ab") as file:
        file.truncate(size)
        yield file
        file.flush()
        os.fsync(file.fileno())


def append_text(path: Path, text: str) -> None:
    """Append to a log, of which both ends stay once it has more than `LOG` bytes.

    It is for people: a line may be cut by a kill, and nothing is read back from it.
    """
    with _named(path), path.open("a", encoding="utf-8") as file:
        file.write(text)
        size = file.tell()
    if size > LOG:
        write_bytes(path, _ends(path))


def _ends(log: Path) -> bytes:
    """The first and the last quarter of what a log may hold, in whole lines."""
    with opened(log) as file:
        head = file.read(LOG // 4)
        file.seek(-LOG // 4, os.SEEK_END)
        tail = file.read(LOG // 4)
    whole = head[: head.rfind(b"\n") + 1].replace(CUT, b"")
    return whole + CUT + tail[tail.find(b"\n") + 1 :]


def move(source: Path, target: Path) -> None:
    """Rename a complete file or folder to where it belongs. Raises OSError if a folder is there."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source.rename(target)
    _fsync(target.parent)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Raise the system's errors with the name of the file that could not be written.

    torch and safetensors tell a full disk in exceptions of their own; these become the OSError behind them.
    """
    try:
        yield
    except Exception as error:
        if number := trouble.number(error):
            raise OSError(number, os.strerror(number), str(path)) from error
        raise


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
