"""Whether a dataset's files are there and intact."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.errors import UserError
from harness.store.checksums import checksum


def check(folder: Path, files: Mapping[str, str], algorithm: str, remedy: str, verify: bool = True) -> None:
    """Raise UserError for the first file that is missing or differs.

    Args:
        folder: where they are.
        files: name -> hexadecimal checksum.
        algorithm: of hashlib.
        remedy: what puts it right.
        verify: False looks only whether the files are there.
    """
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            raise UserError(f"{path}: missing\n  {remedy}")
        if verify and (found := checksum(path, algorithm)) != expected:
            raise UserError(f"{path}: {algorithm} {found}, expected {expected}\n  {remedy}")
