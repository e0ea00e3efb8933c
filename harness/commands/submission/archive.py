"""A submission as one file: a zip archive, the same bytes for the same records, opened with nothing trusted."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.commands.submission.contents import ALL, inside
from harness.errors import UserError
from harness.machine import trouble
from harness.store import atomic
from harness.store.layout import Results

SUFFIX = ".zip"
FILES = 100_000
"""In an archive, at most."""
BEGINNING = (1980, 1, 1, 0, 0, 0)
"""Date of every file in an archive, the first that the format knows: when it was packed is no part of it."""


def write(folder: Path, path: Path) -> None:
    """Pack the files of a folder."""
    atomic.write_with(path, lambda temporary: _pack(folder, temporary))


def is_one(path: Path) -> bool:
    """Whether a file is an archive that `write` made, by the list of files in it."""
    try:
        with zipfile.ZipFile(path) as archive:
            return Results(Path()).sums.name in archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False


@contextmanager
def opened(path: Path) -> Iterator[Path]:
    """The folder of a submission; of an archive a folder that is there until the block ends.

    Raises UserError for anything else, and for an archive that is damaged or too large.
    """
    if path.is_dir():
        yield path
    elif not path.is_file():
        raise UserError(f"{path}: no such folder or archive")
    else:
        with tempfile.TemporaryDirectory(prefix="dkd-submission-") as folder:
            _unpack(path, Path(folder))
            yield Path(folder)


def _pack(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(found for found in folder.rglob("*") if found.is_file()):
            info = zipfile.ZipInfo(file.relative_to(folder).as_posix(), BEGINNING)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, file.read_bytes())


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            _require_harmless(path, archive.infolist())
            archive.extractall(folder)
    except UserError:
        raise
    except Exception as error:  # bytes of anybody's: zipfile and what unpacks for it raise errors of every kind
        if trouble.number(error) in trouble.MACHINE:
            raise
        raise UserError(f"{path}: not an archive of `dkd submit`: {error}") from None


def _require_harmless(path: Path, files: list[zipfile.ZipInfo]) -> None:
    """What is written is what is listed: zipfile reads no more of a file than its size says."""
    size = sum(file.file_size for file in files)
    if size > ALL or len(files) > FILES:
        most = f"at most {FILES:,} files of {ALL / 2**20:,.0f} MiB may be"
        raise UserError(f"{path}: {len(files):,} files of {size / 2**20:,.0f} MiB in all: {most}")
    for file in files:
        if not inside(file.filename):
            raise UserError(f"{path}: holds {file.filename!r:.200}, which would lie elsewhere")
