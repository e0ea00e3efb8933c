"""PRE-DFKD: a second generator that replays what the first one made before (Binici et al., AAAI 2022).

The student learns from fresh images of a generator that plays against it, as DAFL's does, and from those of a memory: a
variational autoencoder whose decoder is a generator too, and which learns all the while from the first one's images and
from its own. Its latents are tuned before use. The form is that of the authors' code (kuluhan/PRE-DFKD), whose values
are for ResNet-34 → ResNet-18 on CIFAR-100.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from methods.base.bounds import Batch as BatchSize
from methods.base.bounds import Epochs, Steps
from methods.base.method import Clock, Context, Losses, MethodConfig, RoundLosses
from methods.base.presets import RESNETS, Case, Preset, borrowed
from methods.base.schedule import Schedule
from methods.base.state import Stateful
from methods.parts.distiller import Distiller
from methods.parts.generators import KINDS, ImageGenerator
from methods.parts.losses import (
    Objective,
    dafl_losses,
    detached,
    jensen_shannon,
    logit_distance,
    mean_entropy,
    one_hot,
    weighted_sum,
)
from methods.parts.optimization import apply_gradients
from methods.parts.optimizers import optimizer
from methods.parts.persistent_generator import GeneratorMethod, PersistentGenerator, PersistentGeneratorConfig
from methods.parts.plan import Plan
from methods.parts.sources import Batch, LiveGenerator
from methods.parts.spectral_norm import normalise_convolutions
from methods.parts.variational import Encoder, normal_divergence


class PREDFKDConfig(PersistentGeneratorConfig):
    """The published values. Source: PRE-DFKD repository, main.py and distillation.py."""

    steps: Steps = 144_000
    """Source: PRE-DFKD repository: 400 epochs × 36 iterations × 10 steps."""
    epochs: Epochs = 400
    batch: BatchSize = 1024
    """Fresh images per distillation step, at every scale; those of the memory come on top."""
    generator: Literal["fast", "cmi", "dafl", "dfad", "zskt", "dcgan", "dcgan-unit"] = "dafl"
    nz: int = Field(default=1000, ge=1)
    lr_g: float = Field(default=0.02, gt=0)
    beta1: float = Field(default=0.9, ge=0, lt=1)
    """Adam's β₁ for both generators and the encoder; β₂ is 0.999."""
    student_steps: int = Field(default=10, ge=1)
    sampling: Literal["evaluation", "training"] = "training"
    adversary_trains: bool = True
    distill_first: Literal[False] = False
    """The generator's step comes first here."""
    reuse: Literal[False] = False
    """Fresh images come at every step here."""
    weight_decay: float = Field(default=5e-4, ge=0)
    oh: float = Field(default=1.0, ge=0)
    """Weight of the one-hot loss, of the generator and of the memory's latents."""
    ie: float = Field(default=5.0, ge=0)
    """Weight of the information entropy of the mean prediction, to base 10, for both likewise."""
    a: float = Field(default=0.1, ge=0)
    """Weight of the activation loss of the generator."""
    memory: float = Field(default=128 / 1024, gt=0, le=1)
    """Images of the memory in a distillation step, as a share of the fresh ones; 2 at least."""
    memory_fresh: float = Field(default=512 / 1024, gt=0, le=1)
    """Share of a step's fresh images that the memory learns from; 1 at least."""
    memory_steps: int = Field(default=4, ge=1)
    """The memory learns after so many of the distillation steps that follow a step of the generator."""
    lr_memory: float = Field(default=5e-4, gt=0)
    """Adam's rate for the memory."""
    lr_z: float = Field(default=0.02, gt=0)
    """Length of the one step, by Adam, that tunes the memory's latents."""
    divergence: float = Field(default=1e-5, ge=0)
    """Weight of the divergence of the encoder's latents from a normal distribution."""


class NovelGenerator(PersistentGenerator):
    """DAFL's generator with a spectral norm on its convolutions."""

    def make(self) -> ImageGenerator:
        """The generator, with its first weights."""
        made = uniform(super().make())
        normalise_convolutions(made)
        return made


@torch.no_grad()
def uniform(generator: ImageGenerator) -> ImageGenerator:
    """Weights of linear layers and convolutions U(-0.08, 0.08), biases 0. networks/generator.py of the authors."""
    for layer in generator.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            nn.init.uniform_(layer.weight, -0.08, 0.08)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return generator


class Memory(Stateful):
    """Encoder and generator, which learn together; the latents that the generator is asked with are tuned by one step.

    Args:
        novel: the other generator, for how inputs of the teacher are made.
        most: steps of the student in a round, at most.
    """

    state = ("generator", "encoder", "optimizer")

    def __init__(self, config: PREDFKDConfig, context: Context, novel: PersistentGenerator, most: int) -> None:
        self.config, self.context, self.inputs = config, context, novel.inputs
        task, nz, width = context.task, config.nz, config.generator_width
        self.generator = context.build("memory-init", lambda: uniform(KINDS[config.generator](task, nz, width)))
        self.encoder = context.build("encoder-init", lambda: Encoder(task, nz, width))
        self.learned = [*self.generator.parameters(), *self.encoder.parameters()]
        self.optimizer = optimizer(torch.optim.Adam, self.learned, config.lr_memory, betas=(config.beta1, 0.999))
        self.images = max(2, round(config.memory * config.batch))
        self.latents = Plan(most, context.device)
        self.latents.begin(torch.zeros(most, self.images, nz, device=context.device))

    def tune(self, random: torch.Generator, steps: int) -> None:
        """Latents for what is recalled in the next ``steps`` steps of the student, before which nothing is learned."""
        self.latents.begin(self.tuned(self.generator.eval(), random, steps))

    @torch.no_grad()
    def recall(self) -> Tensor:
        """Images of the next tuned latents: the teacher's input [M, C, H, W]."""
        (z,) = self.latents.draw()
        return self.inputs(self.generator.eval(), z)

    def learn(self, fresh: Tensor, random: torch.Generator, replay: bool) -> Losses:
        """One step on ``fresh`` images [B, C, H, W] and, with ``replay``, on as many of its own as it recalls."""
        generator, x = self.generator.train(), fresh
        if replay:
            (z,) = self.tuned(generator, random, 1)
            with torch.no_grad():
                x = torch.cat([fresh, self.inputs(generator, z)])
        mean, log_variance = self.encoder.train()(x)
        noise = torch.randn(mean.shape, generator=random, device=random.device)
        again = self.inputs(generator, mean + (log_variance / 2).exp() * noise)
        distance = logit_distance(self.context.teacher.logits(x), self.context.teacher(again).logits).mean()
        parts = {"pixels": (again - x).abs().mean(), "logits": distance}
        parts["divergence"] = normal_divergence(mean, log_variance)
        loss = parts["pixels"] + parts["logits"] + self.config.divergence * parts["divergence"]
        apply_gradients(self.optimizer, self.learned, torch.autograd.grad(loss, self.learned))
        return {f"memory/{name}": value for name, value in detached(loss, parts).items()}

    def tuned(self, generator: ImageGenerator, random: torch.Generator, sets: int) -> Tensor:
        """Sets of normal latents, [sets, M, nz], after the first step of an Adam of their own.

        The first step of an Adam has the same length for every number.
        """
        z = torch.randn(sets, self.images, self.config.nz, generator=random, device=random.device).requires_grad_()
        logits = self.context.teacher(self.inputs(generator, z.flatten(0, 1))).logits.unflatten(0, (sets, -1))
        loss = torch.stack([self.strangeness(*one) for one in zip(z, logits, strict=True)]).sum()
        (gradient,) = torch.autograd.grad(loss, z)
        return z.detach() - self.config.lr_z * gradient / (gradient.abs() + 1e-8)

    def strangeness(self, z: Tensor, logits: Tensor) -> Tensor:
        """What tuning lowers, 0-dim, for latents [M, nz] and what the teacher says to their images.

        It is small where the teacher is sure, the classes are balanced, and columns have mean 0 and variance 1.
        """
        sure = self.config.oh * one_hot(logits) - self.config.ie * mean_entropy(logits) / math.log(10)
        return sure + (z.var(dim=0) - 1).square().mean() + z.mean(dim=0).square().mean()


class NovelAndRemembered(LiveGenerator):
    """Batches of fresh images and, after them, of what the memory recalls."""

    state = ("memory",)

    def __init__(
        self, novel: PersistentGenerator, memory: Memory, config: PREDFKDConfig, context: Context, schedule: Schedule
    ) -> None:
        super().__init__(novel, context, schedule)
        self.memory = memory
        images = max(1, round(config.memory_fresh * config.batch))
        place = torch.zeros(images, *context.task.shape, device=context.device)
        self.fresh = place.contiguous(memory_format=torch.channels_last)
        """The last step's fresh images, as many as the memory learns from."""

    def draw(self) -> Batch:
        """Fresh images, then the memory's."""
        novel = super().draw().x
        self.fresh.copy_(novel[: len(self.fresh)])
        return Batch(torch.cat([novel, self.memory.recall()]), fresh=True)


class PREDFKD(GeneratorMethod):
    """Generator against the student, and a memory of what it made → distillation on both."""

    name = "pre-dfkd"
    Config = PREDFKDConfig
    config: PREDFKDConfig
    inverter: PersistentGenerator
    source: NovelAndRemembered
    presets: ClassVar = {
        "original": Preset(
            {},
            (Case({}, ("cifar100",), (RESNETS,)), borrowed("resnet34 → resnet18 on cifar100")),
        ),
        "equal-views": Preset(
            {"batch": 256, "steps": 80_000, "epochs": 200},
            (borrowed("resnet34 → resnet18 on cifar100"),),
            source="our choice: as many fresh images as Fast's student sees views; all else as published.",
        ),
        "smoke": Preset({"generator_width": 8, "nz": 16}),
    }

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, PREDFKDConfig)
        self.weights = {"one_hot": config.oh, "entropy": config.ie, "activation": config.a, "adversarial": 1.0}
        super().__init__(config, context)
        self.memory = Memory(config, context, self.inverter, self.schedule.longest_round)
        self.source = NovelAndRemembered(self.inverter, self.memory, config, context, self.schedule)

    @property
    def shown(self) -> int:
        """The fresh images, and the memory's."""
        return self.config.batch + self.memory.images

    def objective(self, x: Tensor) -> Objective:
        """DAFL's three terms, and how far the student is from disagreeing."""
        answer = self.context.teacher(x, features=True)
        student = self.context.student(x)
        parts = dafl_losses(answer) | {"adversarial": agreement(answer.logits.detach(), student)}
        return Objective(weighted_sum(parts, self.weights), parts, answer)

    def make_generator(self, config: PersistentGeneratorConfig) -> PersistentGenerator:
        """The one that is not the memory."""
        return NovelGenerator(config, self.context, self.schedule, self.objective)

    def make_distiller(self, config: PersistentGeneratorConfig) -> Distiller:
        """The student minimises the distance of the logits."""
        return Distiller(config, self.context, self.schedule, logit_distance)

    def round(self, index: int, clock: Clock) -> RoundLosses:
        """A step of the generator; then those of the student, between which the memory learns.

        Latents are tuned for one step at a time while it does, and then for all that remain: the same, in fewer passes.
        """
        random, learned = self.context.random("memory", index), []
        with clock.synthesis():
            losses = RoundLosses([self.synthesise(index)])
        steps = self.schedule.steps_in(index)
        with clock.distillation():
            self.begin_round(index, steps)
        for step in range(steps):
            if step <= self.config.memory_steps:
                with clock.synthesis():
                    self.memory.tune(random, 1 if step < self.config.memory_steps else steps - step)
            with clock.distillation():
                losses.distillation.append(self.distill_step())
            if step < self.config.memory_steps:
                with clock.synthesis():
                    learned.append(self.memory.learn(self.source.fresh, random, replay=index > 0))
        means = {name: torch.stack([one[name] for one in learned]).mean() for name in learned[0]}
        losses.synthesis[0] |= means
        return losses


def agreement(teacher: Tensor, student: Tensor) -> Tensor:
    """1 - J of logits [B, classes, ...], 0-dim: DeepInversion's divergence, but as a mean over classes too.

    So it is small, and the term near 1: as in the authors' code.
    """
    return 1 - (jensen_shannon(teacher, student) / teacher.shape[1]).clamp(0, 1)
