"""What the NVIDIA driver says of its cards: the only place that asks it. Never imports torch.

Lists come from nvidia-smi, which is there wherever the driver is; a node may lack the Python package for the rest.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from types import ModuleType
from typing import TypeVar

Answer = TypeVar("Answer")

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
    return _told(uuid, lambda nvml, card: float(nvml.nvmlDeviceGetTotalEnergyConsumption(card)) / 1000)


def sharers(uuid: str) -> int | None:
    """How many other processes compute on the card that this process is using; None where that is not known."""
    # Process ids of containers mean nothing to the driver, so this process is taken off as one, not looked for.
    processes = _told(uuid, lambda nvml, card: len(nvml.nvmlDeviceGetComputeRunningProcesses(card)))
    return processes - 1 if processes else None


def _told(uuid: str, ask: Callable[[ModuleType, object], Answer]) -> Answer | None:
    """What the driver answers; None without the Python package, or where the card does not support the question."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
        return ask(pynvml, pynvml.nvmlDeviceGetHandleByUUID(uuid))
    except pynvml.NVMLError:
        return None


def _ask(*arguments: str) -> list[str]:
    """Lines that nvidia-smi prints; none if there is no driver or it does not answer."""
    command = ["nvidia-smi", *arguments]
    try:
        done = subprocess.run(
            command, capture_output=True, encoding="utf-8", errors="replace", timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines()
