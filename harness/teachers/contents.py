"""What a file of weights is, told by its content, and what it holds, read without running anything of it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import torch

from harness.errors import UserError, describe
from harness.machine import trouble
from harness.teachers import pickles

HEAD = 512
"""Bytes that tell what a file is."""
LONGEST_HEADER = 100_000_000
"""Bytes that safetensors allows the header of a file."""

AGAIN = "download it again"
UNPACK = "a compressed archive: unpack it, and import the file of weights inside"
OTHERS = {
    b"version https://git-lfs": "a Git LFS pointer, which stands for the file: get the file itself with `git lfs pull`",
    b"\x89HDF": "HDF5, as Keras writes it: torch cannot read it",
    b"\x93NUMPY": "a NumPy array: torch cannot read it",
    b"\x1f\x8b": UNPACK,
    b"BZh": UNPACK,
    b"\xfd7zXZ": UNPACK,
    b"7z\xbc\xaf": UNPACK,
    b"Rar!": UNPACK,
}
"""How files begin that hold no weights, and what they are."""


def read(file: Path) -> object:
    """What torch or safetensors wrote into ``file``, tensors on the CPU.

    Raises UserError that says what the file is instead, and how to come to weights.
    """
    head = _head(file)
    if reason := _other(head):
        raise UserError(reason)
    if _begins_safetensors(head):
        return _read_safetensors(file)
    if head.startswith(b"PK\x03\x04"):
        _check_archive(file)
    elif not head.startswith(b"\x80"):
        raise UserError("not a file of weights: neither torch nor safetensors wrote it")
    return pickles.read(file)


def check(option: str, file: Path) -> None:
    """Raise UserError, with the ``option`` that names it, if ``file`` is not there or begins as no file of weights."""
    try:
        reason = _other(_head(file))
    except UserError as error:
        reason = str(error)
    if reason:
        raise UserError(f"{option} {file}: {reason}")


def _head(file: Path) -> bytes:
    if not file.exists():
        raise UserError("no such file")
    if not file.is_file():  # opening a pipe would wait for ever
        raise UserError("a folder, not a file" if file.is_dir() else "not a regular file")
    try:
        with file.open("rb") as opened:
            return opened.read(HEAD)
    except OSError as error:
        raise UserError(f"cannot be opened: {error.strerror}") from None


def _other(head: bytes) -> str | None:
    """What a file is that is none of weights; None if it may be one."""
    if not head.strip(b"\0"):
        return f"an empty file: {AGAIN}" if not head else f"nothing but zeros: {AGAIN}"
    for beginning, words in OTHERS.items():
        if head.startswith(beginning):
            return words
    if head[257:262] == b"ustar":
        return UNPACK
    if head.lstrip().startswith(b"<"):
        return "a web page, not weights: the download was refused, and the page says why"
    return _text(head)


def _text(head: bytes) -> str | None:
    """What a text is that was saved in the place of weights; None for what is no text."""
    text = head.decode("utf-8", errors="ignore").strip()
    if b"\0" in head or not all(letter.isprintable() or letter.isspace() for letter in text):
        return None
    return f"a text, not weights: it begins with {text.splitlines()[0][:60]!r}" if text else f"blank: {AGAIN}"


def _begins_safetensors(head: bytes) -> bool:
    return head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= LONGEST_HEADER


def _read_safetensors(file: Path) -> dict[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(file)
    except (SafetensorError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"a safetensors file that is cut or damaged ({reason}): {AGAIN}") from None


def _check_archive(file: Path) -> None:
    """Raise UserError if a zip archive is cut, or holds anything but what `torch.save` writes."""
    names = _names(file)
    if "constants.pkl" in names:
        raise UserError(
            "a TorchScript archive: code together with weights\n"
            f"  where you trust it, make weights of it: {pickles.conversion(file, pickles.SCRIPT)}"
        )
    if "data.pkl" not in names:
        raise UserError("a zip archive that torch did not write: unpack it, and import the file of weights inside")


def _names(file: Path) -> set[str]:
    """Names of the files in a zip archive, without their folders. Raises UserError if it is cut or damaged."""
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                return {name.rpartition("/")[2] for name in archive.namelist()}
    except Exception as error:  # zipfile raises errors of many kinds for bytes that are damaged
        if trouble.number(error) in trouble.MACHINE:
            raise
        raise UserError(f"a zip archive that is cut or damaged ({describe(error)}): {AGAIN}") from None
    raise UserError(f"its end is missing, as after a download that broke off: {AGAIN}")
