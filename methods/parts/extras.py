"""What belongs to an image besides its pixels, and travels with it: labels, features, whatever a method names."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from methods.base.state import Stateful

Extras = Mapping[str, Tensor]
"""Name -> tensor [B, ...] on the device, a row for every image of a batch."""
NO_EXTRAS: Extras = {}


def rows(extras: Extras, index: slice | Tensor) -> dict[str, Tensor]:
    """Those of the images that ``index`` picks, int64 [n] if it is a tensor."""
    return {name: tensor[index] for name, tensor in extras.items()}


class ExtraStore(Stateful):
    """``capacity`` slots for the extras of images, kept as they come: not quantised, and the same in every view.

    The first images say which there are, of which shape and type; a slot that was never written holds zeros.
    """

    state = ("stored",)

    def __init__(self, capacity: int, device: torch.device) -> None:
        self.capacity, self.device = capacity, device
        self.stored: dict[str, Tensor] | None = None

    def write(self, slots: Tensor, extras: Extras) -> None:
        """Store those of n images in ``slots`` [n]. Raises ValueError if others come than with the first images."""
        if self.stored is None:
            self.stored = {name: self._room(tensor) for name, tensor in extras.items()}
        if extras.keys() != self.stored.keys():
            raise ValueError(f"images come with {sorted(extras)}, the first came with {sorted(self.stored)}")
        for name, tensor in extras.items():
            self.stored[name].index_copy_(0, slots, tensor.detach())

    def read(self, slots: Tensor) -> dict[str, Tensor]:
        """What belongs to the images in ``slots`` [n]."""
        return {name: tensor.index_select(0, slots) for name, tensor in (self.stored or {}).items()}

    def _room(self, like: Tensor) -> Tensor:
        return torch.zeros(self.capacity, *like.shape[1:], dtype=like.dtype, device=self.device)
