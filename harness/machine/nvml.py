"""What the NVIDIA driver says of its cards: the only place that asks it. Never imports torch.

Lists come from nvidia-smi, which is there wherever the driver is; a node may lack the Python package for the rest.
"""

from __future__ import annotations

import re
import subprocess

_LISTED = re.compile(r"^(?P<child>\s*)(?:GPU|MIG)\b.*\(UUID: (?P<uuid>[^)]+)\)$")
_SECONDS = 60
"""How long a driver may take to answer: after a boot it initialises every card."""


def cards() -> list[list[str]]:
    """The UUIDs of each card: its own, followed by those of its MIG instances; empty without a driver."""
    found: list[list[str]] = []
    for line in _ask("-L"):
        if listed := _LISTED.match(line):
            if listed["child"] and found:
                found[-1].append(listed["uuid"])
            else:
                found.append([listed["uuid"]])
    return found


def descriptions() -> list[str]:
    """Name, memory, UUID and driver of each card, as text; empty without a driver."""
    return _ask("--query-gpu=name,memory.total,uuid,driver_version", "--format=csv,noheader")


def joules(uuid: str) -> float | None:
    """What the card has consumed since the driver was loaded; None where that is not known, never 0 for it."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
        return float(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle)) / 1000
    except pynvml.NVMLError:
        return None


def _ask(*arguments: str) -> list[str]:
    """Lines that nvidia-smi prints; none if there is no driver or it does not answer."""
    command = ["nvidia-smi", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()
