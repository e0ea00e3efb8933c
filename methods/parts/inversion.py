"""What inversion minimises: distance of batch-norm statistics, a task loss, and a term against the student."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from methods.base.method import Context
from methods.base.state import Stateful
from methods.base.teacher import TeacherOutput
from methods.parts.distiller import SoftTargetConfig
from methods.parts.losses import BatchNormLoss, Objective, masked_kl, weighted_sum

Divergence = Callable[[Tensor, Tensor], Tensor]
"""Logits of teacher and student, [B, classes] each, to a 0-dim tensor that the images shall make large."""
TaskWeight = Callable[[Tensor], Tensor]
"""Teacher logits [B, classes] to a weight of each sample's task loss [B]."""


class InversionConfig(SoftTargetConfig):
    """Weights of the three terms; every method has its own values. Source: CMI and Fast-Datafree, all scripts."""

    inversion_batch: int = Field(default=256, ge=2)
    """Images per round of synthesis."""
    bn: float = Field(default=1.0, ge=0)
    """Weight of R_BN, the distance of the images' batch-norm statistics from the teacher's."""
    oh: float = Field(default=1.0, ge=0)
    """Weight of the task term, the teacher's cross entropy on the wanted class."""
    adv: float = Field(default=1.0, ge=0)
    """Weight of the adversarial term: the images shall make student and teacher differ."""


class InversionLoss(Stateful):
    """bn · R_BN(x) + oh · mean_i(weight_i · CE(f_t(x_i), y_i)) - adv · divergence(f_t(x), f_s(x)).

    DeepInversion, CMI and Fast share it. Terms with weight 0 are not computed, the task term excepted.

    Args:
        config: the weights.
        context: teacher and student; the student must be in evaluation mode.
        momentum: of the batch-norm statistics, see `BatchNormLoss`.
        first_bn: weight of the first layer's, see there.
        divergence: the adversarial term; masked KL as in CMI and Fast unless given.
        task_weight: weights of the task term; None weighs all images alike.
    """

    state = ("bn_loss",)

    def __init__(
        self,
        config: InversionConfig,
        context: Context,
        *,
        momentum: float = 0.0,
        first_bn: float = 1.0,
        divergence: Divergence = masked_kl,
        task_weight: TaskWeight | None = None,
    ) -> None:
        self.config, self.teacher, self.student = config, context.teacher, context.student
        self.bn_loss = BatchNormLoss(context.teacher, momentum, first_bn) if config.bn else None
        self.divergence, self.task_weight = divergence, task_weight
        self.dense = context.task.dense

    def __call__(
        self, x: Tensor, y: Tensor, *, adversarial: bool = True, also: Mapping[str, Any] | None = None
    ) -> Objective:
        """The loss of the teacher's inputs ``x`` [B, C, H, W] with targets ``y``; one forward of each network.

        Args:
            x: normalised images.
            y: int64 classes [B], or shares of the classes [B, classes], see `mixed_targets`; dense tasks have no such
                targets and take the teacher's own prediction of every pixel.
            adversarial: False leaves the last term out.
            also: what else the teacher's answer shall hold, such as {"instance_means": True}.
        """
        answer = self.teacher(x, statistics=self.bn_loss is not None, **(also or {}))
        parts = {"task": self._task(answer.logits, y)}
        if self.bn_loss is not None and answer.statistics is not None:
            parts["bn"] = self.bn_loss(answer.statistics)
        if adversarial and self.config.adv:
            parts["adversarial"] = -self.divergence(answer.logits, self.student(x))
        weights = {"bn": self.config.bn, "task": self.config.oh, "adversarial": self.config.adv}
        return Objective(weighted_sum(parts, weights), parts, answer)

    def commit(self, answer: TeacherOutput) -> None:
        """Move the batch-norm loss's running average by the last answer of a round."""
        if self.bn_loss is not None and answer.statistics is not None:
            self.bn_loss.commit(answer.statistics)

    def _task(self, logits: Tensor, y: Tensor) -> Tensor:
        target = logits.argmax(dim=1) if self.dense else y
        loss = F.cross_entropy(logits, target, reduction="none")
        return (loss if self.task_weight is None else loss * self.task_weight(logits.detach())).mean()


def mixed_targets(y: Tensor, other: Tensor, share: Tensor, classes: int) -> Tensor:
    """Targets (1 - share) · one-hot(y) + share · one-hot(other): [B, classes].

    Cross entropy to them is that of both classes, weighted alike: CutMix (Yun et al., ICCV 2019), as in CPNet.

    Args:
        y, other: int64 classes [B].
        share: how much of each image is of class ``other``, in [0, 1], [B].
        classes: how many there are.
    """
    every = torch.arange(classes, device=y.device)
    mine, theirs = ((target[:, None] == every).to(share.dtype) for target in (y, other))  # F.one_hot reads the device
    return torch.lerp(mine, theirs, share[:, None])
