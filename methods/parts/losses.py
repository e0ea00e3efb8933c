"""Losses that several methods share: functions of logits, the batch-norm statistic loss, and their weighted sum.

Logits are [B, classes], or [B, classes, H, W] in dense tasks, where every pixel is predicted: a sample's loss is then
the mean over its pixels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from methods.base.method import Losses
from methods.base.state import Stateful
from methods.base.teacher import ChannelStatistics, FrozenTeacher, TeacherOutput


@dataclass(frozen=True)
class Objective:
    """What images, or the generator that makes them, minimise: the value for one batch."""

    loss: Tensor
    """0-dim, with its graph."""
    parts: Losses
    """Each term before its weight, with its graph."""
    answer: TeacherOutput


def kl_divergence(teacher: Tensor, student: Tensor, temperature: float = 1.0) -> Tensor:
    """τ² · KL(softmax(teacher / τ) ‖ softmax(student / τ)) of every sample: [B].

    Hinton et al. 2015; the τ² as in Fast-Datafree, datafree/criterions.py.
    """
    return per_sample(_kl(teacher, student, temperature))


def per_sample(values: Tensor) -> Tensor:
    """Mean over all but the first dimension: [B, ...] to [B]."""
    return values.flatten(1).mean(dim=1) if values.dim() > 1 else values


def _kl(teacher: Tensor, student: Tensor, temperature: float = 1.0) -> Tensor:
    """τ² KL of every prediction: [B] or [B, H, W]."""
    target = F.log_softmax(teacher / temperature, dim=1)
    prediction = F.log_softmax(student / temperature, dim=1)
    return temperature**2 * (target.exp() * (target - prediction)).sum(dim=1)


def masked_kl(teacher: Tensor, student: Tensor) -> Tensor:
    """Mean over all predictions of KL(teacher ‖ student) where both name the same class, 0 elsewhere; a 0-dim tensor.

    The mask carries no gradient. CMI (IJCAI 2021) and Fast (AAAI 2022) minimise its negative.
    """
    agree = teacher.argmax(dim=1) == student.argmax(dim=1)
    return (_kl(teacher, student) * agree).mean()


def logit_distance(teacher: Tensor, student: Tensor) -> Tensor:
    """Mean absolute difference of the logits of every sample: [B]. DFAD (arXiv 1912.11006)."""
    return per_sample((teacher - student).abs())


def one_hot(logits: Tensor) -> Tensor:
    """Cross entropy to the logits' own largest entry, mean over the batch, 0-dim: small when the teacher is sure.

    The one-hot term of DAFL (ICCV 2019).
    """
    return F.cross_entropy(logits, logits.argmax(dim=1))


def mean_entropy(logits: Tensor) -> Tensor:
    """Entropy in nats of the batch's mean prediction, 0-dim: largest when the predicted classes are balanced.

    The information entropy term of DAFL (ICCV 2019).
    """
    mean = logits.softmax(dim=1).transpose(0, 1).flatten(1).mean(dim=1)
    return -(mean * mean.clamp_min(1e-12).log()).sum()


def dafl_losses(answer: TeacherOutput) -> Losses:
    """The three terms that DAFL's generator minimises, from the teacher's answer with features; 0-dim each.

    ``one_hot``: cross entropy to the teacher's own prediction. ``entropy``: negative entropy, to base 10, of the mean
    prediction. ``activation``: negative mean absolute value of the pooled features. DAFL (ICCV 2019).
    """
    assert answer.features is not None
    return {
        "one_hot": one_hot(answer.logits),
        "entropy": -mean_entropy(answer.logits) / math.log(10),
        "activation": -answer.features.abs().mean(),
    }


def jensen_shannon(teacher: Tensor, student: Tensor) -> Tensor:
    """The divergence that Adaptive DeepInversion maximises, as its official code has it; a 0-dim tensor.

    With P, Q the softmax of student and teacher at temperature 3 and M their mean, all clamped to [0.01, 0.99]:
    ½ KL(M ‖ P) + ½ KL(M ‖ Q), the reverse of the Jensen-Shannon divergence. NVlabs/DeepInversion,
    cifar10/deepinversion_cifar10.py.
    """
    p, q = (student / 3).softmax(dim=1), (teacher / 3).softmax(dim=1)
    m = ((p + q) / 2).clamp(0.01, 0.99)
    p, q = p.clamp(0.01, 0.99), q.clamp(0.01, 0.99)
    return 0.5 * (m * (2 * m.log() - p.log() - q.log())).sum(dim=1).mean()


class BatchNormLoss(Stateful):
    """R_BN = Σ_layers ‖v - σ²‖₂ + ‖m - μ‖₂, between a batch's statistics and those stored in the teacher.

    Norms are over a layer's channels; σ² is biased; layers are summed. DeepInversion (CVPR 2020), as in
    Fast-Datafree, datafree/hooks.py.

    With ``momentum`` ρ > 0 (Fast, AAAI 2022), a batch's statistics are mixed with a running average of earlier rounds,
    (1 - ρ) · batch + ρ · average, from the second round on; `commit` moves the average once per round.

    The norms of the teacher's first layer count ``first`` times (DeepInversion's script for ImageNet).
    """

    state = ("average_mean", "average_variance", "commits")

    def __init__(self, teacher: FrozenTeacher, momentum: float = 0.0, first: float = 1.0) -> None:
        self.target = teacher.running
        self.momentum = momentum
        self._layer_of_channel = _membership(teacher.channels, self.target.mean)
        self._layer_of_channel[teacher.first_batch_norm] *= first**2  # of squares
        self.average_mean = torch.zeros_like(self.target.mean)
        self.average_variance = torch.zeros_like(self.target.variance)
        self.commits = 0

    def __call__(self, batch: ChannelStatistics) -> Tensor:
        """The loss of a batch, 0-dim."""
        found = self.mixed(batch)
        return self._norms(self.target.mean - found.mean) + self._norms(self.target.variance - found.variance)

    def mixed(self, batch: ChannelStatistics, channels: slice = slice(None)) -> ChannelStatistics:
        """What is compared: the statistics of a batch [C], of these ``channels`` alone, with the running average."""
        if not (self.momentum and self.commits):
            return batch
        mean, variance = self.average_mean[channels], self.average_variance[channels]
        return ChannelStatistics(
            torch.lerp(batch.mean, mean, self.momentum), torch.lerp(batch.variance, variance, self.momentum)
        )

    @torch.no_grad()
    def commit(self, batch: ChannelStatistics) -> None:
        """Move the average by the last batch of a round; the first call sets it."""
        weight = 1 - self.momentum if self.commits else 1.0
        self.average_mean.lerp_(batch.mean, weight)
        self.average_variance.lerp_(batch.variance, weight)
        self.commits += 1

    def _norms(self, difference: Tensor) -> Tensor:
        """Sum over layers of the Euclidean norm; its sub-gradient at a norm of 0 is 0."""
        squares = self._layer_of_channel @ difference.square()  # one product for all layers, in place of a loop
        positive = squares > 0  # the square root's gradient at 0 is infinite, and would be NaN times a factor of 0
        return torch.where(positive, squares, 1.0).sqrt().mul(positive).sum()


def _membership(channels: list[int], like: Tensor) -> Tensor:
    """[layers, ΣC] matrix of 0 and 1: which channel belongs to which layer."""
    layer_of = torch.cat([like.new_full((count,), layer) for layer, count in enumerate(channels)])  # made on the device
    return (layer_of == torch.arange(len(channels), device=like.device)[:, None]).to(like)


def weighted_sum(parts: Losses, weights: Mapping[str, float]) -> Tensor:
    """Σ weight · part over the parts with a weight other than 0; 0-dim."""
    terms = [weights[name] * part for name, part in parts.items() if weights[name]]
    return sum(terms[1:], start=terms[0]) if terms else next(iter(parts.values())) * 0


def detached(loss: Tensor, parts: Losses) -> Losses:
    """What is recorded of an objective, 0-dim each: ``loss`` first, then its parts, without graphs."""
    return {"loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}
