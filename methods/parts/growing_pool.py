"""A pool that only grows: DeepInversion, CMI and Fast keep every image they make."""

from __future__ import annotations

import torch
from torch import Tensor

from methods.base import Context
from methods.parts.batch import Batch
from methods.parts.images import ImageStore
from methods.parts.state import Stateful


class GrowingPool(Stateful):
    """Up to N images; the last batch is cut to fit.

    At the start of a round it shuffles all images it holds, draws them in that order, and shuffles again when all have
    been drawn (CMI, datafree/utils.py; unread images are dropped at the next round). Batches are always full: shuffled
    epochs are chained.
    """

    state = ("store", "filled")

    def __init__(self, context: Context) -> None:
        self.capacity = context.images
        self.store = ImageStore(context.task, self.capacity, context.device)
        self.filled = 0
        self._generator, self._device = context.generator, context.device

    def admit(self, images: Tensor, index: int) -> dict[str, Tensor]:
        """Append images [B, C, H, W] in [0, 1] as long as there is room."""
        kept = min(len(images), self.capacity - self.filled)
        self.store.write(torch.arange(self.filled, self.filled + kept, device=self._device), images[:kept])
        self.filled += kept
        return {}

    def begin_round(self, steps: int, batch: int, index: int) -> None:
        """Plan all draws of the round: slots in chained permutations, views uniform."""
        generator = self._generator("pool", index)
        epochs = -(-steps * batch // self.filled)
        shuffled = [torch.randperm(self.filled, generator=generator, device=self._device) for _ in range(epochs)]
        self._slots = torch.cat(shuffled)[: steps * batch].split(batch)
        self._views = self.store.views.draw(steps * batch, generator).split(batch)
        self._drawn = 0

    def draw(self) -> Batch:
        """The next batch of the round's plan."""
        slot, view = self._slots[self._drawn], self._views[self._drawn]
        self._drawn += 1
        return Batch(self.store.view(slot, view), slot=slot, view=view)

    def feedback(self, batch: Batch, teacher: Tensor, student: Tensor) -> None:
        """Nothing to learn: all images are drawn alike."""

    def sample(self, count: int) -> Tensor:
        """At most ``count`` images, evenly spaced over the pool's history."""
        return self.store.images(evenly(self.filled, count, self._device))


def rounds_to_fill(context: Context, batch: int) -> int:
    """Rounds of ``batch`` images that a pool of N images takes, the last one cut."""
    return -(-context.images // batch)


def evenly(total: int, count: int, device: torch.device) -> Tensor:
    """At most ``count`` of the slots 0 … total - 1, evenly spaced: int64."""
    return torch.linspace(0, total - 1, min(total, count), device=device).round().long()
