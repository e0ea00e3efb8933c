"""Keep the images of the best inner step without reading the loss."""

from __future__ import annotations

import torch
from torch import Tensor


class BestImages:
    """The images with the smallest loss offered so far; the first of equals wins."""

    def __init__(self) -> None:
        self._loss: Tensor | None = None
        self._images: Tensor | None = None

    @torch.no_grad()
    def offer(self, loss: Tensor, images: Tensor) -> None:
        """Keep ``images`` [B, C, H, W] if ``loss`` (0-dim) is strictly smaller than all before."""
        if self._loss is None or self._images is None:
            self._loss, self._images = loss.detach(), images.detach()
            return
        better = loss < self._loss
        self._loss = torch.where(better, loss, self._loss)
        self._images = torch.where(better, images, self._images)

    @property
    def images(self) -> Tensor:
        """The best images. Raises LookupError if none were offered."""
        if self._images is None:
            raise LookupError("no images were offered")
        return self._images
