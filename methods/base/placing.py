"""Where the images of a run lie: on its device, or in main memory, from where each batch is copied to it."""

from __future__ import annotations

from dataclasses import dataclass

import torch

SHARE = 1 / 4
"""How much of the device's memory images take at most; as much again is the answers' (`asking.py`), and the rest is
for networks. Our choice."""
HOST = torch.device("cpu")


@dataclass(frozen=True)
class Placing:
    """How many images a run stores, how large they are, and what follows from it."""

    images: int
    """N."""
    bytes: int
    """Of all N, borders included."""
    memory: int
    """Bytes that the device has, or the machine on a CPU; 0 where nobody knows."""
    share: float = SHARE
    """How much of these the images may take: more where no answers are kept beside them."""

    @property
    def on_device(self) -> bool:
        """The rule: images lie on the device if they fit into their share of it."""
        return not self.memory or self.bytes <= self.share * self.memory

    @property
    def main_memory(self) -> int:
        """Bytes of main memory that the machine must have: a run that goes on reads a checkpoint beside its images."""
        return 0 if self.on_device else 2 * self.bytes

    def place(self, device: torch.device) -> torch.device:
        """Where they lie in a run on ``device``; shapes alone lie nowhere else."""
        return device if self.on_device or device.type == "meta" else HOST

    def __str__(self) -> str:
        size = f"{self.images:,} images take {_mib(self.bytes)}"
        if not self.memory:
            return f"on the device: {size}"
        may = f"{_mib(self.share * self.memory)} that they may there"
        return (
            f"on the device: {size} of {may}"
            if self.on_device
            else f"in main memory, copied batch by batch: {size}, more than the {may}"
        )


def _mib(size: float) -> str:
    return f"{size / 2**20:,.0f} MiB"
