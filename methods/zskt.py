"""ZSKT: Zero-shot Knowledge Transfer via Adversarial Belief Matching (Micaelli and Storkey, NeurIPS 2019).

Generator and student play against each other on the divergence of their predictions. Two presets: `original`, the
authors' code (polo5/ZeroShotKnowledgeTransfer), in which the student takes ten steps on one batch, guided by attention
maps too; and `cmi`, the form of the later tables (CMI repository, scripts/zskt). The tables of Fast's repository come
from code whose adversarial term was 0, since the student was wired to the teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from methods.base.inside import look_inside
from methods.base.method import Context, Losses, MethodConfig
from methods.base.presets import PUBLISHED_FOR_WRN, WRNS, Case, Preset, borrowed
from methods.base.teacher import TeacherOutput
from methods.parts.distiller import Distilled, Distiller
from methods.parts.losses import Objective, detached, kl_divergence
from methods.parts.optimizers import optimizer
from methods.parts.persistent_generator import (
    GeneratorMethod,
    PersistentGenerator,
    PersistentGeneratorConfig,
    SoftTargetGeneratorConfig,
)
from methods.parts.sources import Batch


class ZSKTConfig(SoftTargetGeneratorConfig):
    """Defaults are those of the preset `cmi`. Source: CMI repository, scripts/zskt."""

    class_mean: bool = False
    """Whether divergences are divided by the number of classes, as nn.KLDivLoss does by default."""
    attention: float = Field(default=0.0, ge=0)
    """Weight of the attention loss in distillation. With it the student's optimizer is Adam."""


class ZSKT(GeneratorMethod):
    """KL(teacher ‖ student): the student minimises it, the generator maximises it."""

    name = "zskt"
    Config = ZSKTConfig
    presets: ClassVar = {
        "original": Preset(
            {
                "steps": 800_000,  # 80 000 batches × 10 steps
                "batch": 128,
                "generator": "zskt",
                "nz": 100,
                "beta1": 0.9,
                "generator_decays": True,
                "student_steps": 10,
                "reuse": True,
                "adversary_trains": True,
                "clip": 5.0,
                "class_mean": True,
                "attention": 250.0,
                "lr": 2e-3,
                "lr_per": "round",
                "weight_decay": 0.0,
            },
            # the authors ran pairs of WRNs on CIFAR-10 (and SVHN), all with the same values
            (Case({}, ("cifar10",), WRNS), borrowed("wrn40_2 → wrn16_1 on cifar10")),
            source="the authors' code.",
        ),
        "cmi": Preset({}, PUBLISHED_FOR_WRN),
        "smoke": Preset({"generator_width": 8, "nz": 16}),
    }

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, ZSKTConfig)
        self.divisor = context.task.classes if config.class_mean else 1
        super().__init__(config, context)

    def divergence(self, teacher: Tensor, student: Tensor, temperature: float = 1.0) -> Tensor:
        """τ² KL(teacher ‖ student) of every sample [B], over the number of classes where the configuration says so."""
        return kl_divergence(teacher, student, temperature) / self.divisor

    def objective(self, x: Tensor) -> Objective:
        """The negative divergence."""
        answer = self.context.teacher(x)
        divergence = self.divergence(answer.logits, self.context.student(x)).mean()
        return Objective(-divergence, {"adversarial": -divergence}, answer)

    def make_generator(self, config: PersistentGeneratorConfig) -> PersistentGenerator:
        """Attention needs a batch whose stages the teacher has shown."""
        kind = RegeneratedBatch if config.reuse else PersistentGenerator
        return kind(config, self.context, self.schedule, self.objective)

    def make_distiller(self, config: PersistentGeneratorConfig) -> Distiller:
        """Plain distillation, or with attention."""
        assert isinstance(config, ZSKTConfig)
        kind = AttentionDistiller if config.attention else Distiller
        return kind(config, self.context, self.schedule, partial(self.divergence, temperature=config.temperature))


class RegeneratedBatch(PersistentGenerator):
    """The student learns from the same latents after the generator's step, answered once by the teacher."""

    @torch.no_grad()
    def keep(self, z: Tensor, x: Tensor, answer: TeacherOutput) -> Batch:
        """The updated generator's images, with the teacher's logits and stages."""
        again = self.inputs(self.generator, z)
        return Batch(again, self.context.teacher(again, stages=True))


class AttentionDistiller(Distiller):
    """Adam on criterion + attention · Σ over stages of `attention_distance`, with the gradient's norm clipped."""

    config: ZSKTConfig

    def make_optimizer(self) -> torch.optim.Optimizer:
        """Adam, β = (0.9, 0.999)."""
        config, weights = self.config, self.student.parameters()
        return optimizer(torch.optim.Adam, weights, config.lr, weight_decay=config.weight_decay)

    def step(self, batch: Batch) -> Distilled:
        """One update on a batch whose stages the teacher has shown, or shows now."""
        answer = batch.answer
        if answer is None or answer.stages is None:
            with torch.no_grad():
                answer = self.teacher(batch.x, stages=True)
        assert answer.stages is not None
        student = look_inside(self.student, batch.x)
        parts: Losses = {
            "kd": self.criterion(answer.logits, student.logits).mean(),
            "attention": attention_loss(answer.stages, student.stages),
        }
        loss = parts["kd"] + self.config.attention * parts["attention"]
        self.update(loss)
        return Distilled(detached(loss, parts), answer.logits, student.logits.detach())

    def clip_gradient(self) -> None:
        """Limit the norm of the student's gradient."""
        if self.config.clip is not None:
            nn.utils.clip_grad_norm_(self.student.parameters(), self.config.clip)


def attention_loss(teacher: Sequence[Tensor], student: Sequence[Tensor]) -> Tensor:
    """Σ over stages of mean((â - b̂)²), 0-dim; â, b̂ are the `attention_map` of teacher and student.

    Stages are lists of [B, C, H, W], the stem first, which does not count. Those of a WRN are its three groups.
    Networks with other numbers of stages are compared from the last one back, and maps of unequal size are averaged
    down to the smaller one: our choice, since the authors used WRNs alone.
    """
    pairs = list(zip(reversed(teacher[1:]), reversed(student[1:]), strict=False))
    losses = []
    for a, b in pairs:
        size = min(a.shape[-1], b.shape[-1])
        losses.append((attention_map(a, size) - attention_map(b, size)).square().mean())
    return torch.stack(losses).sum()


def attention_map(activations: Tensor, size: int) -> Tensor:
    """Mean over channels of the squared activations [B, C, H, H], flattened, at norm 1: [B, size²]."""
    energy = activations.square().mean(dim=1, keepdim=True)
    if energy.shape[-1] != size:
        energy = F.adaptive_avg_pool2d(energy, size)
    return F.normalize(energy.flatten(1))
