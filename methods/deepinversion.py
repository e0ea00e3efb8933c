"""DeepInversion, adaptive form (Yin et al., CVPR 2020), as CMI's repository ran it for knowledge distillation.

Pixels are optimised directly until the teacher's batch-norm statistics and its answers fit. The authors released no
distillation code; the values are those of CMI, datafree/synthesis/deepinversion.py and scripts/deepinv. The last
iterate is stored, as in all official codes (their "best" image shares memory with the one being optimised).
"""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from methods.base import Context, Losses, MethodConfig
from methods.parts.bn_loss import BatchNormLoss
from methods.parts.composed import ComposedMethod, Synthesised
from methods.parts.distiller import KLDistiller
from methods.parts.growing_pool import GrowingPool
from methods.parts.images import Normaliser
from methods.parts.losses import jensen_shannon
from methods.parts.schedule import Schedule, cosine
from methods.parts.state import Stateful


class DeepInversionConfig(MethodConfig):
    """CMI repository, scripts/deepinv, where nothing else is said."""

    inner_steps: int = Field(default=1000, ge=1)
    inversion_batch: int = Field(default=256, ge=2)
    lr_x: float = Field(default=0.1, gt=0)
    """Adam on the pixels, β = (0.5, 0.99)."""
    bn: float = Field(default=10.0, ge=0)
    oh: float = Field(default=1.0, ge=0)
    adv: float = Field(default=1.0, ge=0)
    """Weight of the teacher-student divergence; 0 is plain DeepInversion."""
    tv: float = Field(default=0.001, ge=0)
    """Weight of the total variation."""
    jitter: int = Field(default=4, ge=0)
    """Largest shift in pixels, for 32 × 32 images."""
    temperature: float = Field(default=20.0, gt=0)
    lr: float = Field(default=0.1, gt=0)
    """Cosine to 0."""


class PixelInverter(Stateful):
    """Adam on the pixels of one batch, started from noise in every round; nothing lives from round to round."""

    def __init__(self, config: DeepInversionConfig, context: Context) -> None:
        self.config, self.context = config, context
        self.bn_loss = BatchNormLoss(context.teacher)
        self._normalise = Normaliser(context.task, context.device)
        self._low = self._normalise(torch.zeros_like(self._normalise.mean))
        self._high = self._normalise(torch.ones_like(self._normalise.mean))

    def synthesize(self, index: int) -> Synthesised:
        """The last iterate of ``inner_steps`` steps; the student must be in evaluation mode."""
        random = self.context.generator("inversion", index)
        batch, task = self.config.inversion_batch, self.context.task
        x = torch.randn(batch, *task.shape, generator=random, device=random.device).requires_grad_()
        y = torch.randint(task.classes, (batch,), generator=random, device=random.device).sort().values
        optimizer = torch.optim.Adam([x], self.config.lr_x, betas=(0.5, 0.99))
        rows, columns = self._shifts(random)
        for step in range(self.config.inner_steps):
            shifted = x.index_select(2, rows[step]).index_select(3, columns[step])
            loss, losses = self._objective(shifted, x, y)
            (x.grad,) = torch.autograd.grad(loss, [x])
            optimizer.step()
            with torch.no_grad():
                x.clamp_(self._low, self._high)
        return Synthesised(self._normalise.inverse(x.detach()), losses)

    def _objective(self, shifted: Tensor, x: Tensor, y: Tensor) -> tuple[Tensor, Losses]:
        out = self.context.teacher(shifted, statistics=True)
        assert out.statistics is not None
        parts = {"bn": self.bn_loss(out.statistics), "task": F.cross_entropy(out.logits, y)}
        loss = self.config.bn * parts["bn"] + self.config.oh * parts["task"]
        if self.config.adv:
            parts["adversarial"] = -jensen_shannon(out.logits, self.context.student(shifted))
            loss = loss + self.config.adv * parts["adversarial"]
        if self.config.tv:
            parts["variation"] = total_variation(x)
            loss = loss + self.config.tv * parts["variation"]
        return loss, {"loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}

    def _shifts(self, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Rows and columns that shift the whole batch around its edges, and mirror it if the task allows, per step.

        int64 [inner_steps, H] and [inner_steps, W].
        """
        (_, height, width), steps = self.context.task.shape, self.config.inner_steps
        shape, device = (steps, 1), random.device
        low, high = -self.config.jitter, self.config.jitter + 1
        down = torch.randint(low, high, shape, generator=random, device=device)
        right = torch.randint(low, high, shape, generator=random, device=device)
        columns = (torch.arange(width, device=device) - right) % width
        if self.context.task.flip:
            mirror = torch.rand(shape, generator=random, device=device) < 0.5
            columns = torch.where(mirror, columns.flip(1), columns)
        return (torch.arange(height, device=device) - down) % height, columns


def total_variation(x: Tensor) -> Tensor:
    """Sum over four directions of the mean absolute difference of neighbours in ``x`` [B, C, H, W]; 0-dim."""
    right = x[..., :, 1:] - x[..., :, :-1]
    down = x[..., 1:, :] - x[..., :-1, :]
    diagonal = x[..., 1:, 1:] - x[..., :-1, :-1]
    antidiagonal = x[..., 1:, :-1] - x[..., :-1, 1:]
    return right.abs().mean() + down.abs().mean() + diagonal.abs().mean() + antidiagonal.abs().mean()


class DeepInversion(ComposedMethod):
    """Pixels → growing pool → distillation."""

    name = "deepinversion"
    Config = DeepInversionConfig
    presets: ClassVar = {"smoke": {"inner_steps": 3, "inversion_batch": 16, "jitter": 1}}

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, DeepInversionConfig)
        super().__init__(config, context)
        rounds = -(-context.images // config.inversion_batch)
        self.schedule = Schedule(context.steps(config), config.epochs, rounds)
        self.inverter = PixelInverter(config, context)
        self.source = GrowingPool(context)
        self.distiller = KLDistiller(
            context.student,
            context.teacher,
            temperature=config.temperature,
            learning_rates=cosine(config.lr, self.schedule.epochs),
        )
