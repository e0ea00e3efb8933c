"""Checkpoints: written at round boundaries, read without executing anything, and only if no bit of them changed.

A file begins with the sha256 of all that follows, torch's archive.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BufferedRandom, BufferedReader
from pathlib import Path
from typing import Any

import torch

from harness.errors import UserError
from harness.store.atomic import write_with

DIGEST = hashlib.sha256().digest_size


def save(path: Path, state: dict[str, Any]) -> None:
    """Write ``state``, made of tensors, numbers, texts, lists and dictionaries, atomically."""
    write_with(path, lambda temporary: _write(temporary, state))


def load(path: Path, device: torch.device) -> dict[str, Any] | None:
    """The checkpoint; None if there is none. Raises UserError if it is damaged.

    What lay on a card comes to ``device``; what lay on the host stays there: optimizers count their steps on it, and
    would wait for the card at every step of theirs.
    """
    if not path.exists():
        return None
    with path.open("rb") as file:
        if file.read(DIGEST) != _digest(file):
            raise _damaged(path, "its sha256 is another")
        file.seek(DIGEST)
        try:
            state: dict[str, Any] = torch.load(file, map_location=_place(device), weights_only=True)
        except Exception as error:  # noqa: BLE001 - torch raises many types for what it does not take
            raise _damaged(path, type(error).__name__) from None
    return state


def _damaged(path: Path, why: str) -> UserError:
    return UserError(f"{path}: damaged checkpoint ({why}); delete it to start this run again")


def _digest(file: BufferedReader | BufferedRandom) -> bytes:
    """Of what follows the digest's own place."""
    file.seek(DIGEST)
    return hashlib.file_digest(file, "sha256").digest()


def _place(device: torch.device) -> Callable[[Any, str], Any]:
    def place(storage: Any, was: str) -> Any:
        return storage if was == "cpu" else torch.serialization.default_restore_location(storage, str(device))

    return place


def _write(path: Path, state: dict[str, Any]) -> None:
    with path.open("w+b") as file:  # given a name instead, torch loses the reason why it cannot write
        file.write(bytes(DIGEST))
        torch.save(state, file)
        digest = _digest(file)
        file.seek(0)
        file.write(digest)
