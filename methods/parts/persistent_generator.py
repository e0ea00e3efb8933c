"""A generator that lives as long as the run and takes one step a round: DAFL, DFAD, ZSKT, DFQ and PRE-DFKD."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from methods.base.method import Context, MethodConfig
from methods.base.schedule import Decay, Schedule
from methods.base.state import Stateful
from methods.base.teacher import TeacherOutput
from methods.parts.composed import ComposedMethod, Synthesised
from methods.parts.distiller import DistillationConfig, Distiller, SoftTargetConfig, soft_targets
from methods.parts.generators import KINDS, ImageGenerator
from methods.parts.images import Normaliser
from methods.parts.losses import Objective, detached
from methods.parts.optimization import apply_gradients
from methods.parts.optimizers import optimizer, set_learning_rate
from methods.parts.sources import Batch, LastBatch, LiveGenerator


class PersistentGeneratorConfig(DistillationConfig):
    """One network for the whole run. Source: CMI repository, datafree_kd.py and scripts."""

    generator: Literal["fast", "cmi", "dafl", "dfad", "zskt", "dcgan", "dcgan-unit"] = "cmi"
    """Whose network makes the images: `methods/parts/generators.py`."""
    nz: int = Field(default=256, ge=1)
    """Numbers of a latent."""
    generator_width: int = Field(default=128, ge=2, multiple_of=2)
    """Channels that those of the generator's layers are multiples of: `methods/parts/generators.py`."""
    lr_g: float = Field(default=1e-3, gt=0)
    """Adam's rate for the generator at the start."""
    beta1: float = Field(default=0.5, ge=0, lt=1)
    """Adam's β₁ for the generator; β₂ is 0.999."""
    generator_decays: bool = False
    """Whether the generator's learning rate falls like the student's, to 0 if that is a cosine."""
    student_steps: int = Field(default=5, ge=1)
    """Distillation steps to every step of the generator."""
    distill_first: bool = False
    """Whether the distillation steps of a round come before the generator's."""
    reuse: bool = False
    """Whether the student gets the generator's own batch, instead of fresh images at every step."""
    sampling: Literal["evaluation", "training"] = "evaluation"
    """How the generator's batch norm works when it makes fresh images."""
    adversary_trains: bool = False
    """Whether the student's batch norm is in training mode in the generator's step, so that its statistics move."""
    clip: float | None = Field(default=None, gt=0)
    """Largest norm of the generator's gradient, and of a student's that learns from attention maps; null for any."""


class SoftTargetGeneratorConfig(PersistentGeneratorConfig, SoftTargetConfig):
    """For the methods whose student learns from softened predictions. Source: CMI repository, datafree_kd.py."""

    temperature: float = Field(default=1.0, gt=0)
    """Softens the predictions of teacher and student in the distillation loss. Source: CMI repository, datafree_kd.py,
    which overwrites the criterion for these methods: its scripts say 20, its tables come from 1."""


class PersistentGenerator(Stateful):
    """One Adam step on one batch in every round, so that rounds and calls are one count.

    Args:
        objective: from the teacher's input [B, C, H, W] to the loss.
    """

    state: ClassVar[tuple[str, ...]] = ("generator", "optimizer")

    def __init__(
        self,
        config: PersistentGeneratorConfig,
        context: Context,
        schedule: Schedule,
        objective: Callable[[Tensor], Objective],
    ) -> None:
        self.config, self.context, self.objective = config, context, objective
        self.generator = context.build("generator-init", self.make)
        weights, betas = self.generator.parameters(), (config.beta1, 0.999)
        self.optimizer = optimizer(torch.optim.Adam, weights, config.lr_g, betas=betas)
        self.decay = Decay(schedule, config.lr_per, config.lr_milestones, config.lr_factor)
        self.normalise = Normaliser(context.task, context.device)

    def make(self) -> ImageGenerator:
        """The generator, with its first weights."""
        return KINDS[self.config.generator](self.context.task, self.config.nz, self.config.generator_width)

    def synthesise(self, call: int) -> Synthesised:
        """One step of the generator; `last_batch` is then what the student may learn from."""
        if self.config.generator_decays:
            set_learning_rate(self.optimizer, self.config.lr_g * self.decay(call))
        z = self.latent(self.config.batch, self.context.random("latent", call))
        x = self.inputs(self.generator.train(), z)
        found = self.objective(x)
        weights = list(self.generator.parameters())
        apply_gradients(self.optimizer, weights, torch.autograd.grad(found.loss, weights), self.config.clip)
        self.last_batch = self.keep(z, x, found.answer)
        return Synthesised(x.detach(), detached(found.loss, found.parts))

    def keep(self, z: Tensor, x: Tensor, answer: TeacherOutput) -> Batch:
        """What the student gets to see: the images of this step, made before it, with the teacher's answer to them."""
        return Batch(x.detach(), TeacherOutput(answer.logits.detach()))

    def latent(self, batch: int, random: torch.Generator) -> Tensor:
        """Standard normal [batch, nz]."""
        return torch.randn(batch, self.config.nz, generator=random, device=random.device)

    def inputs(self, generator: ImageGenerator, z: Tensor) -> Tensor:
        """The teacher's input [B, C, H, W] that ``generator`` makes of ``z`` [B, nz]."""
        made: Tensor = generator(z)
        return made if generator.space == "input" else self.normalise(made)

    @torch.no_grad()
    def fresh(self, z: Tensor) -> Tensor:
        """A fresh batch for the student, from latents [B, nz]: the teacher's input [B, C, H, W]."""
        self.generator.train(self.config.sampling == "training")
        return self.inputs(self.generator, z)

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """``count`` images [n, C, H, W] in [0, 1] from the generator as it is, made in batches as for the student."""
        # a copy, as its batch norm may be in training mode: looking at images must not move its statistics
        generator, random = copy.deepcopy(self.generator), self.context.random("samples")
        generator.train(self.config.reuse or self.config.sampling == "training")
        batch = self.config.batch
        made = [self.inputs(generator, self.latent(batch, random)) for _ in range(-(-count // batch))]
        return self.normalise.inverse(torch.cat(made)[:count])


class GeneratorMethod(ComposedMethod):
    """A method that is a persistent generator and its objective; says where the student's images come from."""

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, PersistentGeneratorConfig)
        super().__init__(config, context)
        steps = context.steps(config)
        rounds = -(-steps // config.student_steps)
        self.schedule = Schedule(steps, min(config.epochs, rounds), rounds, distill_first=config.distill_first)
        self.adversary_trains = config.adversary_trains
        self.inverter = generator = self.make_generator(config)
        self.source = LastBatch(generator) if config.reuse else LiveGenerator(generator, context, self.schedule)
        self.distiller = self.make_distiller(config)

    @abstractmethod
    def objective(self, x: Tensor) -> Objective:
        """What the generator minimises, from the teacher's input [B, C, H, W]."""

    def make_generator(self, config: PersistentGeneratorConfig) -> PersistentGenerator:
        """The inverter."""
        return PersistentGenerator(config, self.context, self.schedule, self.objective)

    def make_distiller(self, config: PersistentGeneratorConfig) -> Distiller:
        """How the student learns."""
        assert isinstance(config, SoftTargetConfig)
        return Distiller(config, self.context, self.schedule, soft_targets(config.temperature))
