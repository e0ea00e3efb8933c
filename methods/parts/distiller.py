"""How the student learns: KL divergence to the teacher, weighted if the source asks for it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from methods.base import Losses
from methods.parts.batch import Batch
from methods.parts.losses import kl_divergence
from methods.parts.state import Stateful
from methods.parts.teacher import FrozenTeacher


@dataclass(frozen=True)
class Distilled:
    """What one step leaves behind."""

    losses: Losses
    teacher: Tensor
    """The teacher's logits [B, classes]."""
    student: Tensor
    """The student's logits before the update, detached: [B, classes]."""


class KLDistiller(Stateful):
    """SGD with momentum on mean_i(w_i · τ² KL_i), the student in training mode.

    Fast-Datafree and CMI, datafree_kd.py: momentum 0.9, weight decay on all parameters, no Nesterov.
    """

    state = ("student", "optimizer")

    def __init__(
        self,
        student: nn.Module,
        teacher: FrozenTeacher,
        *,
        temperature: float,
        learning_rates: list[float],
        momentum: float = 0.9,
        weight_decay: float = 1e-4,
    ) -> None:
        self.student, self.teacher, self.temperature = student, teacher, temperature
        self.learning_rates = learning_rates
        self.optimizer = torch.optim.SGD(
            student.parameters(), learning_rates[0], momentum=momentum, weight_decay=weight_decay
        )

    def begin_epoch(self, epoch: int) -> None:
        """Set the learning rate of an epoch and put the student into training mode."""
        set_learning_rate(self.optimizer, self.learning_rates[epoch])
        self.student.train()

    def step(self, batch: Batch) -> Distilled:
        """One update of the student; the teacher is asked unless the batch brings its logits along."""
        target = self.teacher.logits(batch.x) if batch.teacher_logits is None else batch.teacher_logits
        prediction = self.student(batch.x)
        loss = kl_divergence(target, prediction, self.temperature)
        loss = (loss if batch.weight is None else loss * batch.weight).mean()
        self.update(loss)
        return Distilled({"kd": loss.detach()}, target, prediction.detach())

    def update(self, loss: Tensor) -> None:
        """One optimizer step on a 0-dim loss."""
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate of all parameter groups."""
    for group in optimizer.param_groups:
        group["lr"] = rate
