"""Archives of strangers: nothing of them lies elsewhere, and none fills the disk."""

from __future__ import annotations

import errno
import zipfile
from pathlib import Path

import pytest

from harness.commands.submission import archive, check
from harness.errors import UserError


def packed(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in files.items():
            target.writestr(name, content)
    return path


@pytest.mark.parametrize("name", ["../escape.json", "/escape.json", "a/../../escape.json"])
def test_paths_that_lead_elsewhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="would lie elsewhere"):
        check.check(packed(tmp_path / "a.zip", {name: b"{}"}))


def test_a_bomb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ALL", 2**20)
    bomb = packed(tmp_path / "a.zip", {"a.json": b"0" * (2**20 + 1)})
    assert bomb.stat().st_size < 10_000
    with pytest.raises(UserError, match="1 files of 1 MiB in all: at most 100,000 files of 1 MiB may be"):
        check.check(bomb)


def test_a_bomb_that_lies_of_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "ALL", 2**20)
    bomb = packed(tmp_path / "a.zip", {"a.json": b"0" * (2**20 + 1)})
    bomb.write_bytes(bomb.read_bytes().replace((2**20 + 1).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(UserError, match="not an archive of `dkd submit`: Bad CRC-32"):
        check.check(bomb)


@pytest.mark.parametrize("content", [b"", b"PK", b"no archive"])
def test_what_is_no_archive(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(content)
    with pytest.raises(UserError, match="not an archive of `dkd submit`"):
        check.check(path)


def test_a_file_that_is_a_folder_too(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not an archive of `dkd submit`"):
        check.check(packed(tmp_path / "a.zip", {"a": b"", "a/b": b""}))


@pytest.mark.parametrize("change", [0x80, 0xFF])
def test_any_byte_may_be_another_one(tmp_path: Path, change: int) -> None:
    whole = packed(tmp_path / "a.zip", {"é.json": b"{}", "b/c.json": b"[]"}).read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= change
        (tmp_path / "b.zip").write_bytes(damaged)
        with pytest.raises(UserError):  # where it can be read nonetheless, there is no cell in it
            check.check(tmp_path / "b.zip")


def test_a_full_disk_is_not_blamed_on_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(zipfile.ZipFile, "extractall", full)
    with pytest.raises(OSError, match="No space left"):
        check.check(packed(tmp_path / "a.zip", {"a.json": b"{}"}))
