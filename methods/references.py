"""What every table compares with: what real images, or mere noise, would give with the same number of steps."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from methods.base.method import Context, Losses, MethodConfig
from methods.base.prior import Prior
from methods.base.task import IGNORED, ignored
from methods.parts.fixed_images import FixedImages
from methods.parts.images import Normaliser
from methods.parts.sources import Batch
from methods.parts.views import Views


class KDReal(FixedImages):
    """Distillation on N real images."""

    name = "kd-real"

    @classmethod
    def prior(cls, config: MethodConfig) -> Prior:
        """Real images."""
        return Prior.REAL_IMAGES

    def fixed_images(self) -> Tensor:
        """The N real images of the context."""
        assert self.context.real is not None
        return self.context.real.images / 255


class KDNoise(FixedImages):
    """Distillation on N images of Gaussian noise, standard normal in the teacher's input space. Our choice."""

    name = "kd-noise"

    def __init__(self, config: MethodConfig, context: Context) -> None:
        super().__init__(config, context)
        self.normalise = Normaliser(context.task, context.device)

    def fixed_images(self) -> Tensor:
        """The N noise images."""
        random = self.context.random("noise")
        shape = (self.context.images, *self.context.task.shape)
        return self.normalise.inverse(torch.randn(shape, generator=random, device=random.device))


class Scratch(KDReal):
    """Training on N real images and their labels, without the teacher."""

    name = "scratch"
    asks = False

    def __init__(self, config: MethodConfig, context: Context) -> None:
        super().__init__(config, context)
        self.views = Views.of(context.task)

    def distill_step(self) -> Losses:
        """One step on the cross entropy."""
        batch = self.source.draw()
        labels = self.labels(batch)
        loss = F.cross_entropy(self.context.student(batch.x), labels, ignore_index=ignored(labels))
        self.distiller.update(loss)
        return {"ce": loss.detach()}

    def labels(self, batch: Batch) -> Tensor:
        """Labels of a batch: int64 [B]; in dense tasks those of its views, `IGNORED` in the border: [B, H, W]."""
        assert self.context.real is not None and batch.slot is not None and batch.view is not None
        labels = self.context.real.labels.index_select(0, batch.slot)
        if not self.context.task.dense:
            return labels
        padded = F.pad(labels.unsqueeze(1), [self.views.pad] * 4, value=IGNORED)
        return self.views.take(padded, batch.view).squeeze(1).long()
