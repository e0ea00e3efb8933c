"""Losses that several methods share: pure functions of logits, and their sum.

Logits are [B, classes], or [B, classes, H, W] in dense tasks, where every pixel is predicted: a sample's loss is then
the mean over its pixels.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.nn import functional as F


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
    """Entropy in nats of the batch's mean prediction: largest when the predicted classes are balanced.

    The information entropy term of DAFL (ICCV 2019).
    """
    mean = logits.softmax(dim=1).transpose(0, 1).flatten(1).mean(dim=1)
    return -(mean * mean.clamp_min(1e-12).log()).sum()


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


def weighted_sum(parts: dict[str, Tensor], weights: Mapping[str, float]) -> Tensor:
    """Σ weight · part over the parts with a weight other than 0; 0-dim."""
    terms = [weights[name] * part for name, part in parts.items() if weights[name]]
    return sum(terms[1:], start=terms[0]) if terms else next(iter(parts.values())) * 0


def detached(loss: Tensor, parts: dict[str, Tensor]) -> dict[str, Tensor]:
    """What is recorded of an objective: ``loss`` first, then its parts, without graphs."""
    return {"loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}
