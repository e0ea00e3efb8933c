"""The device that a run works on: which one, and what it is called. Importing this module imports torch."""

from __future__ import annotations

import torch

from harness.errors import UserError
from harness.machine import facts, gpus, memory


def choose_device(wanted: str) -> torch.device:
    """``auto`` is the first visible GPU if there is one. Raises UserError for ``cuda`` without one."""
    available = torch.cuda.is_available()
    if wanted == "cuda" and not available:
        raise UserError(
            "device: cuda, but torch sees no GPU; `dkd doctor` says what is there, `device: auto` falls back"
        )
    return torch.device("cuda" if available and wanted != "cpu" else "cpu")


def lease_device(wanted: str, name: str) -> torch.device:
    """The device to work on; a GPU is leased first, since torch will see the leased one alone. Waits if none is free.

    Args:
        wanted: ``auto``, ``cuda`` or ``cpu``.
        name: what others are told about us.

    Raises UserError for ``cuda`` without one.
    """
    if wanted != "cpu" and (cards := gpus.visible()):
        gpus.lease(cards, name=name)
    return choose_device(wanted)


def device_name(device: torch.device) -> str:
    """Model of the GPU or the processor."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else facts.cpu_name()


def device_memory(device: str) -> int | None:
    """Bytes of the first GPU, or of main memory where cells run on the processor; None if they may run elsewhere."""
    if device != "cpu":
        return torch.cuda.get_device_properties(0).total_memory if torch.cuda.is_available() else None
    return memory.available()
