"""Fast's inversion: a few steps from a meta-generator, which learns from the gradients of those steps."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from methods.base import Context, Losses, MethodConfig
from methods.parts.augment import Views
from methods.parts.best import BestImages
from methods.parts.bn_loss import BatchNormLoss
from methods.parts.composed import Synthesised
from methods.parts.generators import Generator
from methods.parts.images import Normaliser
from methods.parts.losses import masked_kl
from methods.parts.state import Stateful
from methods.parts.teacher import ChannelStatistics

TaskWeight = Callable[[Tensor], Tensor]
"""Teacher logits [B, classes] to a weight of each sample's task loss [B]."""


class MetaGeneratorConfig(MethodConfig):
    """Fast-2's values for WRN-40-2 teachers: Fast-Datafree, scripts/fast_cifar."""

    inner_steps: int = Field(default=2, ge=1)
    inversion_batch: int = Field(default=256, ge=2)
    nz: int = Field(default=256, ge=1)
    generator_width: int = Field(default=128, ge=2, multiple_of=2)
    lr_g: float = Field(default=5e-3, gt=0)
    """Of the inner steps; the meta step's is inner_steps times this."""
    lr_z: float = Field(default=0.015, gt=0)
    bn: float = Field(default=10.0, ge=0)
    oh: float = Field(default=0.4, ge=0)
    adv: float = Field(default=1.1, ge=0)
    bn_momentum: float = Field(default=0.9, ge=0, lt=1)


class MetaGeneratorInverter(Stateful):
    """First-order meta-learning of a generator (Fast, AAAI 2022, fast_meta).

    Each round copies the meta-generator, takes ``inner_steps`` Adam steps on copy and latents, stores the images of the
    step with the smallest loss, and moves the meta-generator by Adam along the sum of the inner gradients.
    The loss is bn · R_BN + oh · mean(weight · CE) - adv · masked KL on one random view per image.

    Args:
        warmup: rounds without the adversarial term.
        reset_round: round at which the first layer starts again; its small initial scale restores diversity.
        task_weight: weights of the task term, from the teacher's logits; None weighs all alike.
    """

    state = ("generator", "optimizer", "bn_loss")

    def __init__(
        self,
        config: MetaGeneratorConfig,
        context: Context,
        *,
        batch: int,
        warmup: int,
        reset_round: int,
        task_weight: TaskWeight | None = None,
    ) -> None:
        self.config, self.context, self.batch = config, context, batch
        self.warmup, self.reset_round, self.task_weight = warmup, reset_round, task_weight
        task = context.task
        self.generator = context.build("generator-init", lambda: Generator(task, config.nz, config.generator_width))
        self._copy = copy.deepcopy(self.generator)
        self.optimizer = torch.optim.Adam(
            self.generator.parameters(), config.inner_steps * config.lr_g, betas=(0.5, 0.999)
        )
        self.bn_loss = BatchNormLoss(context.teacher, config.bn_momentum)
        self._views = Views(task.shape[1], task.shape[2], task.pad, task.flip)
        self._normalise = Normaliser(task, context.device)

    def synthesize(self, index: int) -> Synthesised:
        """One round of inversion; the student must be in evaluation mode."""
        random = self.context.generator("inversion", index)
        if index == self.reset_round:
            self._reset(random)
        z = torch.randn(self.batch, self.config.nz, generator=random, device=random.device).requires_grad_()
        y = torch.randint(self.context.task.classes, (self.batch,), generator=random, device=random.device)
        learned, optimizer = self._start_copy(z)
        best, meta_gradient = BestImages(), [torch.zeros_like(p) for p in self.generator.parameters()]
        for step in range(self.config.inner_steps):
            images = self._copy(z)
            loss, losses, statistics = self._objective(images, y, index >= self.warmup, random)
            best.offer(loss, images)
            gradient = torch.autograd.grad(loss, learned)
            for total, part in zip(meta_gradient, gradient, strict=False):
                total += part
            if step + 1 < self.config.inner_steps:  # the last inner update would never be used
                _apply(optimizer, learned, gradient)
        _apply(self.optimizer, list(self.generator.parameters()), meta_gradient)
        self.bn_loss.commit(statistics)
        return Synthesised(best.images, losses)

    def _start_copy(self, z: Tensor) -> tuple[list[Tensor], torch.optim.Adam]:
        """Reset the copy to the meta-generator; returns what the inner steps learn, latents last, and their Adam."""
        weights = list(self._copy.parameters())
        with torch.no_grad():
            for mine, theirs in zip(weights, self.generator.parameters(), strict=True):
                mine.copy_(theirs)
        groups = [{"params": weights, "lr": self.config.lr_g}, {"params": [z], "lr": self.config.lr_z}]
        return [*weights, z], torch.optim.Adam(groups, betas=(0.5, 0.999))

    def _objective(
        self, images: Tensor, y: Tensor, adversarial: bool, random: torch.Generator
    ) -> tuple[Tensor, Losses, ChannelStatistics]:
        x = self._normalise(self._views.augment(images, random))
        out = self.context.teacher(x, statistics=True)
        assert out.statistics is not None
        task = F.cross_entropy(out.logits, y, reduction="none")
        if self.task_weight is not None:
            task = task * self.task_weight(out.logits.detach())
        parts = {"bn": self.bn_loss(out.statistics), "task": task.mean()}
        loss = self.config.bn * parts["bn"] + self.config.oh * parts["task"]
        if adversarial:
            parts["adversarial"] = -masked_kl(out.logits, self.context.student(x))
            loss = loss + self.config.adv * parts["adversarial"]
        return loss, {"loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}, out.statistics

    @torch.no_grad()
    def _reset(self, random: torch.Generator) -> None:
        """Start the first layer again; Adam's moments stay. Fast-Datafree, fast_meta.py, reset_l0."""
        for layer in (self.generator.linear, self.generator.first_norm):
            nn.init.normal_(layer.weight, 0.0, 0.02, generator=random)
            nn.init.zeros_(layer.bias)


def _apply(
    optimizer: torch.optim.Optimizer, parameters: list[Tensor], gradients: list[Tensor] | tuple[Tensor, ...]
) -> None:
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()
