"""Energy of a GPU, where the driver reports it. Importing this module imports torch."""

from __future__ import annotations

import torch

from harness.machine import nvml


def joules(device: torch.device) -> float | None:
    """What the card of ``device`` has consumed since the driver was loaded; None for a CPU or an unknown value."""
    if device.type != "cuda":
        return None
    return nvml.joules(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
