"""Checksums of files."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from harness.store.files import opened

GIT_BLOB = "git blob"
"""The id that git gives a file's content: SHA-1 of "blob", the size in bytes, a zero byte and the content."""


@dataclass(frozen=True)
class Checksum:
    """What a file must have."""

    kind: str
    """An algorithm of hashlib, or `GIT_BLOB`."""
    value: str
    """Hexadecimal; of a git blob its first digits are enough, as git prints them."""

    def agrees(self, found: str) -> bool:
        """Whether a file's checksum of this kind is the one meant."""
        return found.startswith(self.value) if self.kind == GIT_BLOB else found == self.value

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


def sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    return checksum(path, "sha256")


def checksum(path: Path, kind: str) -> str:
    """Hexadecimal checksum of a file, by an algorithm of hashlib or `GIT_BLOB`."""
    with opened(path) as file:
        if kind != GIT_BLOB:
            return hashlib.file_digest(file, kind).hexdigest()
        header = b"blob %d\0" % os.fstat(file.fileno()).st_size
        return hashlib.file_digest(file, lambda: hashlib.sha1(header, usedforsecurity=False)).hexdigest()
