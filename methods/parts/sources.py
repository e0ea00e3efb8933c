"""Sources: what hands images to the distiller. A pool that keeps them all, or a generator that makes them anew.

SSD-KD's kind is in `methods/parts/replay_buffer.py`, SpaceshipNet's in `methods/parts/feature_pool.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import torch
from torch import Tensor

from methods.base.asking import Asking
from methods.base.method import Context
from methods.base.placing import Placing
from methods.base.schedule import Schedule
from methods.base.state import Stateful
from methods.base.teacher import TeacherOutput
from methods.parts.answers import Answers
from methods.parts.extras import NO_EXTRAS, Extras, ExtraStore, rows
from methods.parts.images import ImageStore
from methods.parts.plan import Plan, written_over


@dataclass(frozen=True)
class Batch:
    """Images to distill on. The distiller does not know which source they come from."""

    x: Tensor
    """The teacher's input [B, C, H, W]."""
    answer: TeacherOutput | None = None
    """What the teacher says to exactly ``x``, where the source already knows."""
    view: Tensor | None = None
    """Which view of its image each sample is, int64 [B]: `methods/parts/views.py`."""
    weight: Tensor | None = None
    """Importance weight of each sample's loss [B]; None means 1."""
    slot: Tensor | None = None
    """Where each sample is stored, int64 [B]; None if it is not stored."""
    importance: Tensor | None = None
    """Raw importance weight of each slot [B], where ``weight`` is scaled."""
    fresh: bool = False
    """Whether the images were made for this batch alone."""
    extras: Extras = field(default_factory=dict)
    """What came with each image from the inverter, [B, ...] each."""


class Source(Protocol):
    """Where the student's images come from."""

    @property
    def placing(self) -> Placing | None:
        """Where the images lie that it stores; None if it stores none."""

    @property
    def filled(self) -> int | None:
        """How many images it holds; None if it stores none."""

    def admit(self, images: Tensor, call: int, extras: Extras = NO_EXTRAS) -> dict[str, Tensor]:
        """Take the images [B, C, H, W] in [0, 1] of synthesis ``call``; returns quantities worth recording."""

    def begin_round(self, steps: int, batch: int, index: int) -> None:
        """Prepare ``steps`` draws of ``batch`` samples: all random numbers that they take are drawn here."""

    def draw(self) -> Batch:
        """The next batch."""

    def feedback(self, batch: Batch, teacher: Tensor, student: Tensor) -> None:
        """Learn what teacher and student answered to a batch: detached logits [B, classes]."""

    def sample(self, count: int) -> Tensor:
        """At most ``count`` of the images that can be drawn: [n, C, H, W] in [0, 1]."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes from round to round."""

    def load_state_dict(self, state: Any) -> None:
        """Continue from `state_dict`."""


class GrowingPool(Stateful):
    """Up to N images, all of which stay: DeepInversion, CMI and Fast. The last batch is cut to fit.

    At the start of a round it shuffles all images it holds, draws them in that order, and shuffles again when all have
    been drawn (CMI, datafree/utils.py; unread images are dropped at the next round). Batches are always full: shuffled
    epochs are chained.
    """

    state = ("store", "extras", "answers", "filled")

    def __init__(self, context: Context, schedule: Schedule, asking: Asking | None = None) -> None:
        self.capacity = context.images
        self.store = ImageStore(context, self.capacity)
        self.placing = self.store.placing
        self.extras = ExtraStore(self.capacity, context.device)
        self.answers = Answers(asking, context, self.store)
        self.filled = 0
        self._randomness, self._device = context.random, context.device
        self._plan = Plan(schedule.longest_round, context.device)

    def admit(self, images: Tensor, call: int, extras: Extras = NO_EXTRAS) -> dict[str, Tensor]:
        """Append images [B, C, H, W] in [0, 1], and what belongs to them, as long as there is room."""
        kept = min(len(images), self.capacity - self.filled)
        slots = torch.arange(self.filled, self.filled + kept, device=self._device)
        self.store.write(slots, images[:kept])
        self.extras.write(slots, rows(extras, slice(kept)))
        self.answers.admit(slots)
        self.filled += kept
        return {}

    def begin_round(self, steps: int, batch: int, index: int) -> None:
        """Let the teacher answer to new images; plan all draws: slots in chained permutations, views uniform."""
        self.answers.ask()
        random = self._randomness("pool", index)
        slots = chained_epochs(self.filled, steps * batch, random)
        views = self.store.views.draw(steps * batch, random)
        self._plan.begin(slots.view(steps, batch), views.view(steps, batch))

    def draw(self) -> Batch:
        """The next batch of the round's plan."""
        slot, view = self._plan.draw()
        x, answer = self.store.view(slot, view), self.answers.read(slot, view)
        return Batch(x, answer, view, slot=slot, extras=self.extras.read(slot))

    def feedback(self, batch: Batch, teacher: Tensor, student: Tensor) -> None:
        """Nothing to learn: all images are drawn alike."""

    def sample(self, count: int) -> Tensor:
        """At most ``count`` images [n, C, H, W] in [0, 1], evenly spaced over the pool's history."""
        return self.store.images(evenly(self.filled, count, self._device))


class ImageMaker(Protocol):
    """A generator as the sources see it that store nothing."""

    last_batch: Batch
    """What its last step left for the student."""

    def latent(self, batch: int, random: torch.Generator) -> Tensor:
        """What ``batch`` images are made of: [batch, nz]."""

    def fresh(self, z: Tensor) -> Tensor:
        """A fresh batch from latents [B, nz]: the teacher's input [B, C, H, W]."""

    def sample(self, count: int) -> Tensor:
        """``count`` images [n, C, H, W] in [0, 1]."""


class LastBatch(Stateful):
    """The batch of the generator's last step, again and again (DAFL, ZSKT as published)."""

    filled = placing = None

    def __init__(self, maker: ImageMaker) -> None:
        self.maker = maker
        self._batch: Batch | None = None

    def admit(self, images: Tensor, call: int, extras: Extras = NO_EXTRAS) -> dict[str, Tensor]:
        """Nothing is stored."""
        return {}

    def begin_round(self, steps: int, batch: int, index: int) -> None:
        """Keep the generator's batch."""
        self._batch = written_over(self._batch, self.maker.last_batch)

    def draw(self) -> Batch:
        """The generator's batch."""
        assert self._batch is not None
        return self._batch

    def feedback(self, batch: Batch, teacher: Tensor, student: Tensor) -> None:
        """Nothing to learn."""

    def sample(self, count: int) -> Tensor:
        """Images [n, C, H, W] in [0, 1] from the generator as it is."""
        return self.maker.sample(count)


class LiveGenerator(LastBatch):
    """Fresh images at every step, made as part of it (DFAD, DFQ, and the others as CMI's repository ran them)."""

    def __init__(self, maker: ImageMaker, context: Context, schedule: Schedule) -> None:
        super().__init__(maker)
        self._randomness = context.random
        self._plan = Plan(schedule.longest_round, context.device)

    def begin_round(self, steps: int, batch: int, index: int) -> None:
        """Draw the latents of all steps."""
        latents = self.maker.latent(steps * batch, self._randomness("live", index))
        self._plan.begin(latents.unflatten(0, (steps, batch)))

    def draw(self) -> Batch:
        """A fresh batch."""
        (z,) = self._plan.draw()
        return Batch(self.maker.fresh(z), fresh=True)


def rounds_to_fill(context: Context, batch: int) -> int:
    """Rounds of ``batch`` images that a pool of N images takes, the last one cut."""
    return -(-context.images // batch)


def chained_epochs(filled: int, count: int, random: torch.Generator) -> Tensor:
    """``count`` of the slots 0 … filled - 1: all in a random order, then again in another: int64 [count]."""
    epochs = -(-count // filled)
    shuffled = [torch.randperm(filled, generator=random, device=random.device) for _ in range(epochs)]
    return torch.cat(shuffled)[:count]


def evenly(total: int, count: int, device: torch.device) -> Tensor:
    """At most ``count`` of the slots 0 … total - 1, evenly spaced: int64 [n]."""
    return torch.linspace(0, total - 1, min(total, count), device=device).round().long()
