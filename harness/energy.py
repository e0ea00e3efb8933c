"""Energy of a GPU, where the driver reports it."""

from __future__ import annotations

import torch


def joules(device: torch.device) -> float | None:
    """What the card of ``device`` has consumed since the driver was loaded; None for a CPU or an unknown value."""
    if device.type != "cuda":
        return None
    try:
        import pynvml

        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(device).uuid}")
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
    except (ImportError, pynvml.NVMLError):
        return None
