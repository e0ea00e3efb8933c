"""SpaceshipNet's pool (CVPR 2023): it keeps what a generator had between its layers, and images are made of that.

An image is decoded at every draw, by the generator as it is then, from maps at one of its depths; in a share of the
steps after the images of a batch exchanged half of their channels.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from methods.base.method import Context
from methods.base.placing import SHARE, Placing
from methods.base.schedule import Schedule
from methods.base.state import Stateful
from methods.parts.extras import NO_EXTRAS, Extras
from methods.parts.feature_generator import Entry, FeatureGenerator
from methods.parts.images import Normaliser
from methods.parts.plan import Plan
from methods.parts.sources import Batch, chained_epochs, evenly
from methods.parts.views import Views

MAPS = "maps"
"""What images come with from the inverter: their maps, as `packed`."""


def packed(maps: tuple[Tensor, ...]) -> Tensor:
    """Maps [B, C, H, W] of all depths as one row for every image, [B, ΣCHW], pixel by pixel."""
    return torch.cat([one.permute(0, 2, 3, 1).flatten(1) for one in maps], dim=1)


def exchanged(maps: Tensor, own: Tensor) -> Tensor:
    """Maps [B, C, H, W] of which image i has the channels ``own`` [B, C] from itself, the others from image B - 1 - i.

    What is exchanged is as it was before; the middle one of an odd batch stays as it is.
    """
    return torch.where(own[:, :, None, None], maps, maps.flip(0))


def halves(n: int, channels: int, random: torch.Generator) -> Tensor:
    """For each of ``n`` images ⌊channels / 2⌋ of its channels at random: bool [n, channels]."""
    order = torch.rand(n, channels, generator=random, device=random.device).argsort(dim=1)
    return order < channels // 2


class FeaturePool(Stateful):
    """Up to N images' maps at all depths of a generator, all of which stay, in 32 bits: 426 KB for one of CIFAR's.

    They lie where `Placing` says; from main memory they are copied for every batch.

    Every depth has a shuffled order of its own, chained as in `GrowingPool`, and a step takes the next batch of the
    depth that it draws.

    Args:
        generator: what decodes; whoever moves it puts it into the mode that is needed there.
        exchange: in which share of the steps channels are exchanged.
    """

    state = ("rows", "filled")

    def __init__(self, context: Context, schedule: Schedule, generator: FeatureGenerator, exchange: float) -> None:
        self.generator, self.exchange, self.capacity = generator, exchange, context.images
        self.channels = [shape[0] for shape in generator.shapes]
        self._sizes = [channels * height * width for channels, height, width in generator.shapes]
        row = torch.zeros(sum(self._sizes), device=context.device)
        # no image is decoded twice, so that no answers are kept: their share of the device is for maps as well
        self.placing = Placing(self.capacity, self.capacity * row.nbytes, context.memory, share=2 * SHARE)
        self._place = self.placing.place(context.device)
        self.rows = torch.zeros(self.capacity, len(row), device=self._place)
        self.filled = 0
        self.views = Views.of(context.task)
        self.normalise = Normaliser(context.task, context.device)
        self._randomness, self._device = context.random, context.device
        self._plan = Plan(schedule.longest_round, context.device)

    def admit(self, images: Tensor, call: int, extras: Extras = NO_EXTRAS) -> dict[str, Tensor]:
        """Append the maps of images [B, C, H, W], not these themselves, as long as there is room."""
        kept = min(len(images), self.capacity - self.filled)
        self.rows[self.filled : self.filled + kept] = extras[MAPS][:kept].to(self._place)
        self.filled += kept
        return {}

    def begin_round(self, steps: int, batch: int, index: int) -> None:
        """Plan all draws: depth, images, their views, and which channels each has from itself."""
        self.generator.eval()
        random = self._randomness("pool", index)
        depth = torch.randint(len(self.channels), (steps,), generator=random, device=random.device)
        slots = self._in_turn(depth, batch, random)
        views = self.views.draw(steps * batch, random).view(steps, batch)
        keeps = torch.rand(steps, generator=random, device=random.device) >= self.exchange
        own = [torch.cat([halves(batch, c, random) for c in self.channels], dim=1) for _ in range(steps)]
        self._plan.begin(depth, slots, views, torch.stack(own) | keeps[:, None, None])

    def draw(self) -> Batch:
        """A batch decoded from one depth, each image in a random view."""
        depth, slot, view, own = self._plan.draw()
        maps = [exchanged(*pair) for pair in zip(self.maps(slot), own.split(self.channels, dim=1), strict=True)]
        padded = F.pad(self._decoded(maps, depth), [self.views.pad] * 4)
        return Batch(self.normalise(self.views.take(padded, view)), view=view, slot=slot, fresh=True)

    def feedback(self, batch: Batch, teacher: Tensor, student: Tensor) -> None:
        """Nothing to learn: all images are drawn alike."""

    def maps(self, slots: Tensor) -> list[Tensor]:
        """What is stored in ``slots`` [n]: [n, C, H, W] for every depth."""
        parts = self.rows.index_select(0, slots.to(self._place)).to(self._device).split(self._sizes, dim=1)
        shapes = self.generator.shapes
        return [part.unflatten(1, (h, w, c)).permute(0, 3, 1, 2) for part, (c, h, w) in zip(parts, shapes, strict=True)]

    def sample(self, count: int) -> Tensor:
        """At most ``count`` images [n, C, H, W] in [0, 1], evenly spaced over the history: from first maps, unmixed."""
        self.generator.eval()
        slots = evenly(self.filled, count, self._device)
        return self._decoded(self.maps(slots), torch.zeros((), dtype=torch.int64, device=self._device))

    def _in_turn(self, depth: Tensor, batch: int, random: torch.Generator) -> Tensor:
        """Slots [steps, batch]: the next batch of the depth [steps] that a step draws."""
        steps, depths = len(depth), len(self.channels)
        orders = [chained_epochs(self.filled, steps * batch, random).view(steps, batch) for _ in range(depths)]
        before = (depth == torch.arange(depths, device=depth.device)[:, None]).cumsum(dim=1) - 1
        turn = before.gather(0, depth[None]).squeeze(0)
        return torch.stack(orders)[depth, turn]

    @torch.no_grad()
    def _decoded(self, maps: list[Tensor], depth: Tensor) -> Tensor:
        images: Tensor = self.generator(Entry(maps, depth))[0]
        return images
