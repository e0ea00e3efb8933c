"""Sources that store nothing: the student learns from what the generator makes now."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from methods.base import Generators
from methods.parts.batch import Batch
from methods.parts.state import Stateful


class ImageMaker(Protocol):
    """A generator as these sources see it."""

    batch: Batch
    """What its last step left for the student."""

    def fresh(self, random: torch.Generator) -> Tensor:
        """A fresh batch: the teacher's input [B, C, H, W]."""

    def sample(self, count: int) -> Tensor:
        """``count`` images [n, C, H, W] in [0, 1]."""


class LastBatch(Stateful):
    """The batch of the generator's last step, again and again (DAFL, ZSKT as published)."""

    def __init__(self, maker: ImageMaker) -> None:
        self.maker = maker

    def admit(self, images: Tensor, index: int) -> dict[str, Tensor]:
        """Nothing is stored."""
        return {}

    def begin_round(self, steps: int, batch: int, index: int) -> None:
        """Nothing to prepare."""

    def draw(self) -> Batch:
        """The generator's batch."""
        return self.maker.batch

    def feedback(self, batch: Batch, teacher: Tensor, student: Tensor) -> None:
        """Nothing to learn."""

    def sample(self, count: int) -> Tensor:
        """Images from the generator as it is."""
        return self.maker.sample(count)


class LiveGenerator(LastBatch):
    """Fresh images at every step, made as part of it (DFAD, DFQ, and the others as CMI's repository ran them)."""

    def __init__(self, maker: ImageMaker, generator: Generators) -> None:
        super().__init__(maker)
        self._generator = generator

    def begin_round(self, steps: int, batch: int, index: int) -> None:
        """Choose the round's randomness."""
        self._random = self._generator("live", index)

    def draw(self) -> Batch:
        """A fresh batch."""
        return Batch(self.maker.fresh(self._random), fresh=True)
