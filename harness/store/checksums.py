"""Checksums of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from harness.store.files import opened


def sha256(path: Path) -> str:
    """Hexadecimal sha256 of a file."""
    return checksum(path, "sha256")


def checksum(path: Path, algorithm: str) -> str:
    """Hexadecimal checksum of a file, by an algorithm of hashlib."""
    with opened(path) as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
