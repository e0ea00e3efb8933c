"""Keep what belongs to the best inner step, without reading the loss."""

from __future__ import annotations

import torch
from torch import Tensor


class Best:
    """The tensors that came with the smallest loss so far; the first of equals wins."""

    def __init__(self) -> None:
        self._loss: Tensor | None = None
        self._kept: tuple[Tensor, ...] = ()

    @torch.no_grad()
    def offer(self, loss: Tensor, *tensors: Tensor) -> None:
        """Keep ``tensors`` if ``loss`` (0-dim) is strictly smaller than all before."""
        if self._loss is None:
            self._loss, self._kept = loss.detach(), tuple(tensor.detach() for tensor in tensors)
            return
        better = loss < self._loss
        self._loss = torch.where(better, loss, self._loss)
        self._kept = tuple(torch.where(better, new, old) for new, old in zip(tensors, self._kept, strict=True))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The best ones, in the order in which they were offered. Raises LookupError if none were."""
        if self._loss is None:
            raise LookupError("nothing was offered")
        return self._kept
