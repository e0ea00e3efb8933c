"""DAFL: Data-Free Learning of Student Networks (Chen et al., ICCV 2019), the authors' CIFAR code.

huawei-noah/Efficient-Computing, Data-Efficient-Model-Compression/DAFL. Generator and student learn from the same batch:
the teacher answers it once, for both.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from methods.base import Clock, Context, Losses, Method, MethodConfig, RoundLosses
from methods.parts.batch import Batch
from methods.parts.distiller import KLDistiller
from methods.parts.generators import DAFLGenerator
from methods.parts.images import Normaliser
from methods.parts.losses import mean_entropy
from methods.parts.schedule import Schedule
from methods.parts.teacher import TeacherOutput


class DAFLConfig(MethodConfig):
    """The authors' values for CIFAR-10: DAFL, README and DAFL_train.py."""

    steps: int = Field(default=240_000, ge=1)
    """2000 epochs × 120 iterations."""
    epochs: int = Field(default=2000, ge=1)
    batch: int = Field(default=1024, ge=2)
    nz: int = Field(default=1000, ge=1)
    generator_width: int = Field(default=128, ge=2, multiple_of=2)
    lr_g: float = Field(default=0.02, gt=0)
    """Adam, β = (0.9, 0.999)."""
    oh: float = Field(default=0.05, ge=0)
    """Weight of the one-hot loss."""
    ie: float = Field(default=5.0, ge=0)
    """Weight of the information entropy, which the authors' code takes with logarithm to base 10."""
    a: float = Field(default=0.01, ge=0)
    """Weight of the activation loss."""
    lr: float = Field(default=0.1, gt=0)
    """Divided by 10 at 40 % and at 80 % of the run: epochs 800 and 1600."""
    weight_decay: float = Field(default=5e-4, ge=0)


class DAFL(Method):
    """A persistent generator and a student that take one step each on every batch."""

    name = "dafl"
    Config = DAFLConfig
    presets: ClassVar = {"smoke": {"generator_width": 8, "nz": 16}}

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, DAFLConfig)
        super().__init__(config, context)
        self.hyper = config
        steps = context.steps(config)
        self.schedule = Schedule(steps, config.epochs, synthesis_rounds=min(config.epochs, steps))
        self.generator = context.build(
            "generator-init", lambda: DAFLGenerator(context.task, config.nz, config.generator_width)
        )
        self.optimizer = torch.optim.Adam(self.generator.parameters(), config.lr_g)
        self.distiller = KLDistiller(
            context.student,
            context.teacher,
            temperature=1.0,
            learning_rates=stepwise(config.lr, self.schedule.epochs),
            weight_decay=config.weight_decay,
        )
        self._normalise = Normaliser(context.task, context.device)

    def round(self, index: int, clock: Clock) -> RoundLosses:
        """As many joint steps as the round has distillation steps."""
        losses = RoundLosses()
        self.distiller.begin_epoch(self.schedule.epoch(index))
        self._random = self.context.generator("latent", index)
        for _ in range(self.schedule.steps_in(index)):
            with clock.synthesis():
                losses.synthesis.append(self.synthesize(index))
            with clock.distillation():
                losses.distillation.append(self.distill_step())
        return losses

    def synthesize(self, index: int) -> Losses:
        """One step of the generator; its batch and the teacher's answer are kept for the student."""
        x = self.generator(self._latent(self.config.batch, self._random))
        out = self.context.teacher(x, features=True)
        losses = generator_losses(out)
        loss = (
            self.hyper.oh * losses["one_hot"] + self.hyper.ie * losses["entropy"] + self.hyper.a * losses["activation"]
        )
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.images_synthesised += len(x)
        self._batch = Batch(x.detach(), teacher_logits=out.logits.detach())
        return {"loss": loss.detach(), **{name: part.detach() for name, part in losses.items()}}

    def distill_step(self) -> Losses:
        """One step of the student on the batch that `synthesize` made."""
        return self.distiller.step(self._batch).losses

    @torch.no_grad()
    def synthetic_images(self, count: int) -> Tensor:
        """Fresh images from the generator as it is, in batches as the student gets them."""
        generator, random = copy.deepcopy(self.generator), self.context.generator("samples")
        batches = [generator(self._latent(self.config.batch, random)) for _ in range(-(-count // self.config.batch))]
        return self._normalise.inverse(torch.cat(batches)[:count])

    def state_dict(self) -> dict[str, Any]:
        """Generator, student and their optimizers."""
        return {
            "generator": self.generator.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "distiller": self.distiller.state_dict(),
            "teacher": self.context.teacher.state_dict(),
            "images_synthesised": self.images_synthesised,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict`."""
        self.generator.load_state_dict(state["generator"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.distiller.load_state_dict(state["distiller"])
        self.context.teacher.load_state_dict(state["teacher"])
        self.images_synthesised = state["images_synthesised"]

    def _latent(self, batch: int, random: torch.Generator) -> Tensor:
        return torch.randn(batch, self.hyper.nz, generator=random, device=random.device)


def generator_losses(out: TeacherOutput) -> Losses:
    """The three terms that DAFL's generator minimises, from the teacher's answer with features; 0-dim each.

    ``one_hot``: cross entropy to the teacher's own prediction. ``entropy``: negative entropy, to base 10, of the mean
    prediction. ``activation``: negative mean absolute value of the pooled features.
    """
    assert out.features is not None
    return {
        "one_hot": F.cross_entropy(out.logits, out.logits.argmax(dim=1)),
        "entropy": -mean_entropy(out.logits) / math.log(10),
        "activation": -out.features.abs().mean(),
    }


def stepwise(initial: float, epochs: int) -> list[float]:
    """``initial``, a tenth of it from 40 % of the epochs on, a hundredth from 80 % on."""
    return [initial * (1.0 if e < 0.4 * epochs else 0.1 if e < 0.8 * epochs else 0.01) for e in range(epochs)]
