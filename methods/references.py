"""The rows that every table needs: what real images, or mere noise, would give with the same number of steps.

Values are Fast-Datafree's for distillation from a pool (scripts/fast_cifar), so that only the images differ.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from methods.base import Context, Losses, MethodConfig
from methods.parts.augment import Views
from methods.parts.batch import Batch
from methods.parts.composed import ComposedMethod, Synthesised
from methods.parts.distiller import Distiller, SoftTargetConfig, soft_targets
from methods.parts.growing_pool import GrowingPool
from methods.parts.images import Normaliser
from methods.parts.schedule import Schedule
from methods.parts.state import Stateful

IGNORED = 255
"""Label of a pixel that does not count."""


class ReferenceConfig(SoftTargetConfig):
    """How the student learns."""

    lr: float = Field(default=0.2, gt=0)
    final_lr: float = Field(default=2e-4, ge=0)


class Given(Stateful):
    """An inverter to which all images are given."""

    def __init__(self, images: Callable[[], Tensor]) -> None:
        self.images = images

    def synthesize(self, index: int) -> Synthesised:
        """All images at once; only the pool keeps them."""
        return Synthesised(self.images(), {})


class Reference(ComposedMethod):
    """Distillation on N fixed images."""

    Config = ReferenceConfig

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, ReferenceConfig)
        super().__init__(config, context)
        self.schedule = Schedule(context.steps(config), config.epochs, synthesis_rounds=1)
        self.inverter = Given(self.given_images)
        self.source = GrowingPool(context)
        self.distiller = Distiller(config, context, self.schedule, soft_targets(config.temperature))

    def given_images(self) -> Tensor:
        """The N images [N, C, H, W] in [0, 1]."""
        assert self.context.real is not None
        return self.context.real.images / 255


class KDReal(Reference):
    """Distillation on N real images."""

    name = "kd-real"
    data_free = False


class KDNoise(Reference):
    """Distillation on N images of Gaussian noise, standard normal in the teacher's input space. Our choice."""

    name = "kd-noise"

    def given_images(self) -> Tensor:
        """The N noise images."""
        random = self.context.generator("noise")
        shape = (self.context.images, *self.context.task.shape)
        noise = torch.randn(shape, generator=random, device=random.device)
        return Normaliser(self.context.task, self.context.device).inverse(noise)


class Scratch(Reference):
    """Training on N real images and their labels, without the teacher."""

    name = "scratch"
    data_free = False

    def __init__(self, config: MethodConfig, context: Context) -> None:
        super().__init__(config, context)
        task = context.task
        self.views = Views(task.shape[1], task.shape[2], task.pad, task.flip)

    def distill_step(self) -> Losses:
        """One step on the cross entropy."""
        batch = self.source.draw()
        loss = F.cross_entropy(self.context.student(batch.x), self.labels(batch), ignore_index=IGNORED)
        self.distiller.update(loss)
        return {"ce": loss.detach()}

    def labels(self, batch: Batch) -> Tensor:
        """Labels of a batch: int64 [B]; in dense tasks those of its views, 255 in the border: [B, H, W]."""
        assert self.context.real is not None and batch.slot is not None and batch.view is not None
        labels = self.context.real.labels.index_select(0, batch.slot)
        if not self.context.task.dense:
            return labels
        padded = F.pad(labels.unsqueeze(1), [self.views.pad] * 4, value=IGNORED)
        return self.views.take(padded, batch.view).squeeze(1).long()
