"""What the driver tells of the GPU that a run is on. Importing this module imports torch."""

from __future__ import annotations

import torch

from harness.machine import nvml


def joules(device: torch.device) -> float | None:
    """What the card of ``device`` has consumed since the driver was loaded; None for a CPU or an unknown value."""
    return None if device.type == "cpu" else nvml.joules(_uuid(device))


def sharers(device: torch.device) -> int | None:
    """How many other processes compute on the card of ``device``; None for a CPU or where it is not known."""
    return None if device.type == "cpu" else nvml.sharers(_uuid(device))


def _uuid(device: torch.device) -> str:
    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"
