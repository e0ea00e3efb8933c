"""NAYER's inversion: a generator of several lives, whose noisy layers start again with every batch of images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor, nn

from methods.base.bounds import Batch, Epochs, Steps
from methods.base.files import File
from methods.base.method import Context, MethodConfig
from methods.base.prior import Prior
from methods.base.state import Stateful
from methods.parts.composed import Synthesised
from methods.parts.images import Normaliser
from methods.parts.inversion import InversionConfig, InversionLoss
from methods.parts.label_embeddings import LabelEmbedding, label_embeddings
from methods.parts.losses import Objective, detached
from methods.parts.noisy_layers import NoisyGenerator
from methods.parts.optimization import Best, apply_gradients
from methods.parts.optimizers import optimizer
from methods.parts.pool_method import PoolMethod
from methods.parts.views import Views


class NoisyLayerConfig(InversionConfig):
    """NAYER-100 on CIFAR-100. Source: NAYER repository, scripts/nayer_100.sh."""

    steps: Steps = 40_000
    epochs: Epochs = 100
    batch: Batch = 512
    inversion_batch: int = Field(default=400, ge=2)
    inner_steps: int = Field(default=40, ge=1)
    """Steps of the generator, noisy layers included, for every batch of images."""
    label_embedding: LabelEmbedding = "one-hot"
    """What the generator knows of a class: one-hot its number, classifier its row of the teacher's last layer, random
    512 fixed numbers, a file what a text encoder says to its name. Source: our choice; NAYER takes CLIP's texts."""
    nz: int = Field(default=1000, ge=1)
    """Numbers that a noisy layer makes of an embedding. Source: NAYER repository, datafree_kd.py, le_emb_size."""
    lr_g: float = Field(default=4e-3, gt=0)
    """Rate of Adam, which starts again with every batch of images."""
    bn: float = Field(default=10.0, ge=0)
    oh: float = Field(default=0.5, ge=0)
    adv: float = Field(default=1.33, ge=0)
    bn_momentum: float = Field(default=0.9, ge=0, lt=1)
    """How much of the statistics in R_BN is the running average over earlier batches of images."""
    warmup: float = Field(default=0.5, ge=0, lt=1)
    """Share of the calls of synthesis before the student's first step; without the adversarial term. Source: NAYER
    repository, scripts/nayer_100.sh: 20 epochs of 10 batches, then 100 of 2."""
    warmup_lives: int = Field(default=2, ge=1)
    """How often a generator begins during the warm-up. Source: NAYER repository, scripts: every 10 of 20 epochs."""
    lives: int = Field(default=10, ge=1)
    """How often one begins afterwards. Source: NAYER repository, scripts/nayer_100.sh: every 10 of 100 epochs."""
    lr: float = Field(default=0.2, gt=0)
    final_lr: float = Field(default=2e-4, ge=0)


@dataclass(frozen=True)
class Lives:
    """Which life a generator is in: ``early`` of equal length before call ``warmup`` of ``calls``, ``late`` after it.

    What NAYER counts in epochs, before and after which batches differ in number, is counted in calls here.
    """

    early: int
    late: int
    warmup: int
    calls: int

    def at(self, call: int) -> int:
        """The number, from 0, of the life in which ``call`` falls."""
        if call < self.warmup:
            return self.early * call // self.warmup
        return self.early + self.late * (call - self.warmup) // (self.calls - self.warmup)

    def begins(self, call: int) -> bool:
        """Whether a life begins with ``call``."""
        return call == 0 or self.at(call) > self.at(call - 1)


def cycled_classes(classes: int, batch: int, random: torch.Generator) -> Tensor:
    """All classes in order, again and again, and at the end random ones for what is no full cycle: int64 [batch]."""
    cycles, rest = divmod(batch, classes)
    ordered = torch.arange(classes, device=random.device).repeat(cycles)
    return torch.cat([ordered, torch.randint(classes, (rest,), generator=random, device=random.device)])


class NoisyLayerInverter(Stateful, ABC):
    """Adam on the whole generator; of every batch the step with the smallest loss is kept.

    A subclass says what the generator's `body` is; it may change what is made and minimised in a step by `look`.

    Args:
        lives: when the generator starts anew.
    """

    state = ("generator", "objective")

    def __init__(self, config: NoisyLayerConfig, context: Context, lives: Lives) -> None:
        self.config, self.context, self.lives = config, context, lives
        self.embedding = label_embeddings(config.label_embedding, context)
        self.objective = self.make_objective()
        self.views, self.normalise = Views.of(context.task), Normaliser(context.task, context.device)
        self.generator = self.born(lives.at(0))

    def make_objective(self) -> InversionLoss:
        """What images are measured by."""
        return InversionLoss(self.config, self.context, momentum=self.config.bn_momentum)

    @abstractmethod
    def body(self) -> nn.Module:
        """What makes images of the noisy layers' answers [B, nz]: new, with initial weights."""

    def look(self, y: Tensor, random: torch.Generator, adversarial: bool) -> tuple[Tensor, Objective]:
        """The generator's images [B, C, H, W] in [0, 1] of the classes ``y`` [B], and what they minimise."""
        images: Tensor = self.generator(y)
        return images, self.objective(self.normalise(self.views.augment(images, random)), y, adversarial=adversarial)

    def born(self, life: int) -> NoisyGenerator:
        """The generator as its ``life``-th life begins."""
        batch, nz = self.config.inversion_batch, self.config.nz
        return self.context.build("generator", lambda: NoisyGenerator(self.embedding, batch, nz, self.body()), life)

    def synthesise(self, call: int) -> Synthesised:
        """One batch; the student must be in evaluation mode."""
        if call and self.lives.begins(call):
            self.generator = self.born(self.lives.at(call))
        self.generator.noisy.redraw(self.context.random("noisy-layers", call))
        random = self.context.random("inversion", call)
        y = cycled_classes(self.context.task.classes, self.config.inversion_batch, random)
        weights, best = list(self.generator.parameters()), Best()
        adam = optimizer(torch.optim.Adam, weights, self.config.lr_g, fixed=True, betas=(0.5, 0.999))
        for _ in range(self.config.inner_steps):
            images, found = self.look(y, random, adversarial=call >= self.lives.warmup)
            best.offer(found.loss, images)
            apply_gradients(adam, weights, torch.autograd.grad(found.loss, weights))
        self.objective.commit(found.answer)
        return Synthesised(best.tensors[0], detached(found.loss, found.parts))


class NoClassOfAnImage(ValueError):
    """A generator that starts from an image's class, and a dense task, whose images have none."""


class NoisyLayerMethod(PoolMethod):
    """Generator of noisy layers → growing pool → distillation. Refuses dense tasks."""

    Config = NoisyLayerConfig
    config: NoisyLayerConfig

    def __init__(self, config: MethodConfig, context: Context) -> None:
        if context.task.dense:
            raise NoClassOfAnImage("each image is made from its one class, and here every pixel has a class of its own")
        super().__init__(config, context)

    @classmethod
    def prior(cls, config: MethodConfig) -> Prior:
        """A file of embeddings says what an encoder of text knows of the classes' names."""
        assert isinstance(config, NoisyLayerConfig)
        return Prior.LABEL_TEXT if isinstance(config.label_embedding, File) else Prior.NONE

    def warmup(self, calls: int) -> int:
        """Its share, rounded; one call at least comes after it."""
        return min(round(self.config.warmup * calls), calls - 1)

    @property
    def lives(self) -> Lives:
        """When the generator starts anew."""
        schedule, config = self.schedule, self.config
        return Lives(config.warmup_lives, config.lives, schedule.warmup, schedule.synthesis_rounds)
