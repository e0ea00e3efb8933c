"""How the student learns: a loss of every sample between its answer and the teacher's, weighted if the source asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from methods.base.method import Context, Losses, MethodConfig
from methods.base.schedule import Decay, Schedule
from methods.base.state import Stateful
from methods.parts.losses import kl_divergence
from methods.parts.optimizers import optimizer, set_learning_rate
from methods.parts.sources import Batch

Criterion = Callable[[Tensor, Tensor], Tensor]
"""Logits of teacher and student, [B, classes] each, to the loss of every sample [B]."""


class DistillationConfig(MethodConfig):
    """How the student's optimizer moves. Source: Fast-Datafree and CMI, datafree_kd.py."""

    lr: float = Field(default=0.1, gt=0)
    """The student's learning rate at the start."""
    final_lr: float = Field(default=0.0, ge=0)
    """Where half a cosine takes the student's learning rate."""
    lr_milestones: list[float] = Field(default=[])
    """Shares of the run after each of which all learning rates fall by ``lr_factor``; empty for the cosine."""
    lr_factor: float = Field(default=0.1, gt=0, le=1)
    """What learning rates are multiplied by at each of ``lr_milestones``. Source: DAFL and DFAD, the
    authors' codes."""
    lr_per: Literal["epoch", "round"] = "epoch"
    """How often the student's learning rate moves."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """L2 penalty on all of the student's parameters, those of batch norm and biases included."""


class SoftTargetConfig(DistillationConfig):
    """Distillation by softened predictions. Source: Fast-Datafree and CMI, all scripts."""

    temperature: float = Field(default=20.0, gt=0)
    """Softens the predictions of teacher and student in the distillation loss, and nowhere else."""


def soft_targets(temperature: float) -> Criterion:
    """τ² KL(teacher ‖ student) of every sample at this temperature τ."""
    return partial(kl_divergence, temperature=temperature)


@dataclass(frozen=True)
class Distilled:
    """What one step leaves behind."""

    losses: Losses
    teacher: Tensor
    """The teacher's logits [B, classes]."""
    student: Tensor
    """The student's logits before the update, detached: [B, classes]."""


class Distiller(Stateful):
    """SGD with momentum 0.9, no Nesterov, on mean_i(w_i · ℓ_i), ℓ the criterion, the student in training mode."""

    state = ("student", "optimizer")

    def __init__(self, config: DistillationConfig, context: Context, schedule: Schedule, criterion: Criterion) -> None:
        self.config, self.student, self.teacher = config, context.student, context.teacher
        self.criterion = criterion
        self.decay = Decay(schedule, config.lr_per, config.lr_milestones, config.lr_factor)
        self.optimizer = self.make_optimizer()

    def make_optimizer(self) -> torch.optim.Optimizer:
        """The student's optimizer."""
        config, weights = self.config, self.student.parameters()
        return optimizer(torch.optim.SGD, weights, config.lr, momentum=0.9, weight_decay=config.weight_decay)

    def learning_rate(self, index: int) -> float:
        """The student's learning rate in round ``index``."""
        return self.config.final_lr + (self.config.lr - self.config.final_lr) * self.decay(index)

    def begin_round(self, index: int) -> None:
        """Set the learning rate of a round and put the student into training mode."""
        set_learning_rate(self.optimizer, self.learning_rate(index))
        self.student.train()

    def step(self, batch: Batch) -> Distilled:
        """One update of the student; the teacher is asked unless the batch brings its answer along."""
        target = self.teacher.logits(batch.x) if batch.answer is None else batch.answer.logits
        prediction = self.student(batch.x)
        loss = self.criterion(target, prediction)
        loss = (loss if batch.weight is None else loss * batch.weight).mean()
        self.update(loss)
        return Distilled({"kd": loss.detach()}, target, prediction.detach())

    def update(self, loss: Tensor) -> None:
        """One optimizer step on a 0-dim loss."""
        self.optimizer.zero_grad()
        loss.backward()
        self.clip_gradient()
        self.optimizer.step()

    def clip_gradient(self) -> None:
        """Between gradient and step; nothing to do here."""
