"""What the machine is, and what its driver tells."""

from __future__ import annotations

import torch

from benchmarks.gpu_check import standins
from benchmarks.gpu_check.record import Found
from benchmarks.gpu_check.setting import Items, Setting
from harness.engine import precision
from harness.machine import card, facts, gpus, nvml
from harness.machine.devices import device_memory, device_name


def items(setting: Setting) -> Items:
    """One item."""
    return {"machine": machine}


def machine() -> Found:
    """Names, versions, memory, and whether the driver knows energy and processes; None where it does not tell."""
    device = standins.device()
    torch.ones(1, device=device).sum().item()  # a process that has done nothing on the card is none of its processes
    return {
        "device": device_name(device),
        "driver": nvml.descriptions(),
        "cards": gpus.visible(),
        "capability": torch.cuda.get_device_capability(device) if device.type == "cuda" else None,
        "memory_bytes": device_memory(device.type),
        "precisions": precision.possible(device),
        "joules": card.joules(device),
        "other_processes": card.sharers(device),
        "cuda": torch.version.cuda,
        "versions": facts.versions(),
        "commit": facts.commit(),
    }
