"""What a cell will cost, as plain data that processes give each other. Importing this does not import torch."""

from __future__ import annotations

from dataclasses import dataclass

from harness.store.records import Flops


@dataclass(frozen=True)
class Images:
    """The images that a run stores: those of `methods.base.placing.Placing`."""

    bytes: int
    """Of all of them."""
    on_device: bool
    """Whether they fit there."""
    lie: str
    """Where, and by which numbers."""


@dataclass(frozen=True)
class Cost:
    """Of a whole run; rough, for plans and warnings."""

    flops: Flops
    resident: int
    """Bytes that a run holds on its device all the time: networks, optimizers, images."""
    activations: int
    """Bytes that grow with the batch, at the peak, in fp32: with `bf16` most of them take half."""
    images: Images | None = None
    """None where none are stored."""
    process: int = 0
    """Bytes of main memory that the run's process and its evaluations take beside, wherever its tensors are."""

    @property
    def memory(self) -> int:
        """Bytes at the peak."""
        return self.resident + self.activations
