"""Checkpoints: written at round boundaries, read without executing anything."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from harness.errors import UserError
from harness.store.atomic import write_with


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
    try:
        state: dict[str, Any] = torch.load(path, map_location=_place(device), weights_only=True)
    except Exception as error:  # noqa: BLE001 - torch raises many types for a damaged file
        raise UserError(
            f"{path}: damaged checkpoint ({type(error).__name__}); delete it to start this run again"
        ) from None
    return state


def _place(device: torch.device) -> Callable[[Any, str], Any]:
    def place(storage: Any, was: str) -> Any:
        return storage if was == "cpu" else torch.serialization.default_restore_location(storage, str(device))

    return place


def _write(path: Path, state: dict[str, Any]) -> None:
    with path.open("wb") as file:  # given a name instead, torch loses the reason why it cannot write
        torch.save(state, file)
