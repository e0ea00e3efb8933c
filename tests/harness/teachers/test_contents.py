"""What a file is, where it is not weights."""

from __future__ import annotations

import errno
import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest
import torch

from harness.errors import UserError
from harness.teachers import contents
from tests.harness.teachers import checkpoints


def packed(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("weights.pth", b"x" * 1000)
    else:
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.addfile(tarfile.TarInfo("weights.pth"))
    return buffer.getvalue()


OTHERS = {
    "empty": (b"", "an empty file"),
    "zeros": (bytes(4096), "nothing but zeros"),
    "blank": (b"\n\n", "blank"),
    "LFS": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n",
        r"a Git LFS pointer.*git lfs pull",
    ),
    "page": (b"<!DOCTYPE html><html>quota exceeded</html>", "a web page"),
    "page after blanks": (b"\n  <html lang='en'><body>403</body></html>", "a web page"),
    "XML": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "a web page"),
    "JSON": (b'{"error": "not found"}', r"a text.*not found"),
    "words": ("Zugriff verweigert: größer".encode(), "a text, not weights: it begins with 'Zugriff verweigert"),
    "escapes": (b"\x1b[1mnot weights\x1b[0m", "not a file of weights"),
    "gzip": (gzip.compress(b"x"), "a compressed archive: unpack it"),
    "tar": (packed("tar"), "a compressed archive: unpack it"),
    "zip": (packed("zip"), "a zip archive that torch did not write"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a file of weights"),
    "random": (bytes(range(1, 256)), "not a file of weights"),
    "pickle of another kind": (b"\x80\x04\x95\x0a\x00\x00\x00\x00\x00\x00\x00K\x01.", "cannot be read as weights"),
}


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("suffix", [".pt", ".safetensors"])
def test_what_is_no_file_of_weights_is_told(kind: str, suffix: str, tmp_path: Path) -> None:
    content, expected = OTHERS[kind]
    file = tmp_path / f"teacher{suffix}"
    file.write_bytes(content)
    with pytest.raises(UserError, match=expected) as told:
        contents.read(file)
    assert "\x1b" not in str(told.value)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.999])
@pytest.mark.parametrize("made", ["zip", "legacy", "safetensors"])
def test_a_file_that_is_cut_is_told(made: str, share: float, tmp_path: Path) -> None:
    state, file = checkpoints.network().state_dict(), tmp_path / "cut"
    if made == "safetensors":
        checkpoints.write_safetensors(state, file)
    else:
        checkpoints.write("plain", state, file, _use_new_zipfile_serialization=made == "zip")
    whole = file.read_bytes()
    file.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(UserError, match=r"cut|broke off") as told:
        contents.read(file)
    assert "\x1b" not in str(told.value)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("mark", "behind", "change", "expected"),
    [
        (b"_rebuild_tensor_v2", 0, 0x01, "cut, damaged or not made by torch.save"),
        (b"PK\x01\x02", 0, 0x80, "a zip archive that is cut or damaged .*: download it again"),
        (b"PK\x01\x02", 6, 0x80, "a zip archive that is cut or damaged"),
        (b"PK\x01\x02", 10, 0x80, "cut, damaged or not made by torch.save"),
        (b"PK\x01\x02", 45, 0x80, "cut, damaged or not made by torch.save"),
        (b"PK\x01\x02", 46, 0x80, "a zip archive that is cut or damaged"),
        (b"PK\x06\x07", 4, 0xFF, "a zip archive that is cut or damaged"),
    ],
    ids=["pickle", "directory", "version", "compression", "offset", "name", "end"],
)
def test_an_archive_of_which_a_byte_is_damaged_is_told(
    mark: bytes, behind: int, change: int, expected: str, tmp_path: Path
) -> None:
    file = checkpoints.write("plain", checkpoints.network().state_dict(), tmp_path / "damaged.pt")
    content = bytearray(file.read_bytes())
    content[content.index(mark) + behind] ^= change
    file.write_bytes(content)
    with pytest.raises(UserError, match=expected):
        contents.read(file)


def test_a_pickle_that_is_damaged_to_have_a_length_of_petabytes_is_told(tmp_path: Path) -> None:
    file = tmp_path / "damaged.pt"
    file.write_bytes(b"\x80\x02\x8e" + (2**52).to_bytes(8, "little"))
    with pytest.raises(UserError, match=r"cut, damaged or not made by torch\.save"):
        contents.read(file)


def test_a_disk_that_fails_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    file = checkpoints.write("plain", checkpoints.network().state_dict(), tmp_path / "whole.pt")
    monkeypatch.setattr(contents.zipfile, "ZipFile", fail)
    with pytest.raises(OSError, match="Input/output error"):
        contents.read(file)


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for file, expected in (
        (tmp_path, "a folder"),
        (tmp_path / "pipe", "not a regular file"),
        (Path("/dev/zero"), "not a regular file"),
        (tmp_path / "nothing", "no such file"),
    ):
        with pytest.raises(UserError, match=expected):
            contents.read(file)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to the superuser")
def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    file = checkpoints.write("plain", checkpoints.network().state_dict(), tmp_path / "closed")
    file.chmod(0)
    with pytest.raises(UserError, match="cannot be opened: Permission denied"):
        contents.read(file)


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    state = checkpoints.network().state_dict()
    for file in (
        checkpoints.write_safetensors(state, tmp_path / "safe.pth"),
        checkpoints.write("plain", state, tmp_path / "torch.safetensors"),
        checkpoints.write("plain", state, tmp_path / "old", _use_new_zipfile_serialization=False),
    ):
        found = contents.read(file)
        assert isinstance(found, dict)
        assert found.keys() == state.keys()
        assert all(torch.equal(found[name], value) for name, value in state.items())


def test_a_script_is_told_with_the_line_that_makes_weights_of_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a TorchScript archive[\s\S]*torch\.jit\.load"):
        contents.read(checkpoints.script(tmp_path / "script.pt"))
