"""Checksums against values that git and coreutils print."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.store.checksums import GIT_BLOB, Checksum, checksum

BLOBS = {
    b"": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    b"hello\n": "ce013625030ba8dba906f756967f9e9ca394464a",
    b"what is up, doc?": "bd9dbf5aae1a3862dd1526723246b20206e5fc37",
}
"""Content -> what `git hash-object` says; the last one stands in the book Pro Git."""


@pytest.mark.parametrize("content", BLOBS)
def test_the_id_of_a_git_blob(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    assert checksum(tmp_path / "file", GIT_BLOB) == BLOBS[content]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("md5", "b1946ac92492d2347c6235b4d2611184"),
        ("sha1", "f572d396fae9206628714fb2ce00f72e94f2258f"),
        ("sha256", "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"),
    ],
)
def test_hashes(kind: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"hello\n")
    assert checksum(tmp_path / "file", kind) == value


@pytest.mark.parametrize(
    ("kind", "value", "agrees"),
    [
        (GIT_BLOB, "ce013625030ba8dba906f756967f9e9ca394464a", True),
        (GIT_BLOB, "ce013625", True),
        (GIT_BLOB, "ce013626", False),
        ("sha1", "ce013625030ba8dba906f756967f9e9ca394464a", True),
        ("sha1", "ce013625", False),
        ("sha1", "", False),
    ],
)
def test_of_a_git_blob_alone_the_first_digits_are_enough(kind: str, value: str, agrees: bool) -> None:
    assert Checksum(kind, value).agrees("ce013625030ba8dba906f756967f9e9ca394464a") == agrees
