"""Fast's inversion: a few steps from a meta-generator, which learns from the gradients of those steps."""

from __future__ import annotations

import copy

import torch
from pydantic import Field
from torch import Tensor, nn

from methods.base.method import Context
from methods.base.presets import RESNETS, VGG_RESNET, WRNS, Case
from methods.base.state import Stateful
from methods.parts.composed import Synthesised
from methods.parts.generators import for_task
from methods.parts.images import Normaliser
from methods.parts.inversion import InversionConfig, InversionLoss, TaskWeight
from methods.parts.losses import detached
from methods.parts.optimization import Best, apply_gradients
from methods.parts.optimizers import optimizer
from methods.parts.views import Views


class MetaGeneratorConfig(InversionConfig):
    """Fast-2's values for WRN-40-2 teachers. Source: Fast-Datafree, scripts/fast_cifar."""

    inner_steps: int = Field(default=2, ge=1)
    """Steps of the generator's copy and the latents for every batch of images."""
    nz: int = Field(default=256, ge=1)
    """Numbers of a latent."""
    generator_width: int = Field(default=128, ge=2, multiple_of=2)
    """Channels that those of the generator's layers are multiples of: `methods/parts/generators.py`."""
    lr_g: float = Field(default=5e-3, gt=0)
    """Adam's rate for the generator in the inner steps."""
    lr_meta: float | None = Field(default=None, gt=0)
    """Adam's rate of the meta step; None: ``inner_steps`` times that of the inner ones."""
    lr_z: float = Field(default=0.015, gt=0)
    """Adam's rate for the latents in the inner steps."""
    bn: float = Field(default=10.0, ge=0)
    oh: float = Field(default=0.4, ge=0)
    adv: float = Field(default=1.1, ge=0)
    bn_momentum: float = Field(default=0.9, ge=0, lt=1)
    """How much of the statistics in R_BN is the running average over earlier rounds."""
    lr: float = Field(default=0.2, gt=0)
    final_lr: float = Field(default=2e-4, ge=0)


CASES = (
    Case({"adv": 1.33, "oh": 0.5}, pairs=(RESNETS,)),
    Case({"adv": 1.0, "oh": 0.5}, pairs=(VGG_RESNET,)),
    Case({"adv": 1.1, "oh": 0.4}, pairs=WRNS),
)
"""Fast-Datafree, scripts/fast_cifar, CIFAR-10 and CIFAR-100 alike."""


class MetaGeneratorInverter(Stateful):
    """First-order meta-learning of a generator (Fast, AAAI 2022, fast_meta).

    Each call copies the meta-generator, takes ``inner_steps`` Adam steps on copy and latents, stores the images of the
    step with the smallest loss, and moves the meta-generator by Adam along the sum of the inner gradients.
    The loss is `InversionLoss` on one random view per image.

    Args:
        batch: images per call.
        adversarial_from: the call, counted from 1 as in the official code, from which on the adversarial term acts.
        reset_at: the call, counted alike, before which the first layer starts again; its small initial scale restores
            diversity. None: never.
        task_weight: weights of the task term, from the teacher's logits; None weighs all alike.
    """

    state = ("generator", "optimizer", "objective")

    def __init__(
        self,
        config: MetaGeneratorConfig,
        context: Context,
        *,
        batch: int,
        adversarial_from: int,
        reset_at: int | None,
        task_weight: TaskWeight | None = None,
    ) -> None:
        self.config, self.context, self.batch = config, context, batch
        self.adversarial_from, self.reset_at = adversarial_from, reset_at
        task, kind = context.task, for_task(context.task)
        self.generator = context.build("generator-init", lambda: kind(task, config.nz, config.generator_width))
        self._copy = copy.deepcopy(self.generator)
        self.optimizer = optimizer(
            torch.optim.Adam,
            self.generator.parameters(),
            config.lr_meta or config.inner_steps * config.lr_g,
            betas=(0.5, 0.999),
        )
        self.objective = InversionLoss(config, context, momentum=config.bn_momentum, task_weight=task_weight)
        self._views = Views.of(task)
        self._normalise = Normaliser(task, context.device)

    def synthesise(self, call: int) -> Synthesised:
        """One batch; the student must be in evaluation mode."""
        random, number = self.context.random("inversion", call), call + 1
        if number == self.reset_at:
            self._reset(random)
        return self._invert(random, adversarial=number >= self.adversarial_from)

    def _invert(self, random: torch.Generator, adversarial: bool) -> Synthesised:
        z = torch.randn(self.batch, self.config.nz, generator=random, device=random.device).requires_grad_()
        y = torch.randint(self.context.task.classes, (self.batch,), generator=random, device=random.device)
        learned, inner = self._start_copy(z)
        best, meta_gradient = Best(), list[Tensor]()
        for step in range(self.config.inner_steps):
            images = self._copy(z)
            x = self._normalise(self._views.augment(images, random))
            found = self.objective(x, y, adversarial=adversarial)
            best.offer(found.loss, images)
            gradient = torch.autograd.grad(found.loss, learned)
            of_weights = gradient[:-1]  # the last is that of the latents
            meta_gradient = list(map(torch.add, meta_gradient, of_weights)) if step else list(of_weights)
            if step + 1 < self.config.inner_steps:  # the last inner update would never be used
                apply_gradients(inner, learned, gradient)
        apply_gradients(self.optimizer, list(self.generator.parameters()), meta_gradient)
        self.objective.commit(found.answer)
        (images,) = best.tensors
        return Synthesised(images, detached(found.loss, found.parts))

    def _start_copy(self, z: Tensor) -> tuple[list[Tensor], torch.optim.Optimizer]:
        """Reset the copy to the meta-generator; returns what the inner steps learn, latents last, and their Adam."""
        weights = list(self._copy.parameters())
        with torch.no_grad():
            for mine, theirs in zip(weights, self.generator.parameters(), strict=True):
                mine.copy_(theirs)
        inner = optimizer(torch.optim.Adam, weights, self.config.lr_g, fixed=True, betas=(0.5, 0.999))
        inner.add_param_group({"params": [z], "lr": self.config.lr_z})
        return [*weights, z], inner

    @torch.no_grad()
    def _reset(self, random: torch.Generator) -> None:
        """Start the first layer again; Adam's moments stay. Fast-Datafree, fast_meta.py, reset_l0."""
        for layer in (self.generator.linear, self.generator.first_norm):
            nn.init.normal_(layer.weight, 0.0, 0.02, generator=random)
            nn.init.zeros_(layer.bias)
