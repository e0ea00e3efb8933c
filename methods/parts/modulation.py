"""SSD-KD's modulating function φ: diversity × difficulty, as a weight of losses and as an order of images.

Equations and marks ([K] known, [R] our reading, [C] our choice) are listed in docs/ssd-kd.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Modulation:
    """φ(x) = (1 - share of x's class in the buffer) · (1 - p_t(x))^γ, with the factors that are not switched off."""

    gamma: float
    """Focusing exponent γ."""
    diversity: bool = True
    """Whether the first factor acts."""
    difficulty: bool = True
    """Whether the second factor acts."""

    def __call__(self, logits: Tensor, class_share: Tensor) -> Tensor:
        """φ in [0, 1]: [B], or [B, H, W] in dense tasks.

        Args:
            logits: the teacher's, [B, classes] or [B, classes, H, W]; p_t is the probability of its predicted class.
            class_share: share of the buffer in each class, [classes].
        """
        confidence, predicted = logits.softmax(dim=1).max(dim=1)
        phi = torch.ones_like(confidence)
        if self.diversity:
            phi = phi * (1 - class_share[predicted])
        if self.difficulty:
            phi = phi * (1 - confidence) ** self.gamma
        return phi

    def log_difficulty(self, logits: Tensor) -> Tensor:
        """log of the second factor, its mean over pixels in dense tasks: [B].

        In logarithms, as a confident teacher's 1 - p_t is 0 in float32, and an order needs the ranks alone.
        """
        logs = logits.log_softmax(dim=1)
        others = logs.scatter(1, logs.argmax(dim=1, keepdim=True), -math.inf).logsumexp(dim=1)
        scaled = self.gamma * others.view(len(logits), -1)
        return scaled.logsumexp(dim=1) - math.log(scaled.shape[1])

    def order(self, log_difficulty: Tensor, content: Tensor, class_share: Tensor) -> Tensor:
        """log φ of images by what was seen in them when they came: [n].

        Args:
            log_difficulty: of each image, [n].
            content: how many of its predictions are of each class, one or one per pixel, [n, classes].
            class_share: as above, at present. In dense tasks an image's first factor is the mean over its pixels. [C]
        """
        logs = log_difficulty if self.difficulty else torch.zeros_like(log_difficulty)
        if not self.diversity:
            return logs
        shares = content.to(class_share.dtype) / content.sum(dim=1, keepdim=True)
        return logs + (1 - shares @ class_share).clamp_min(0).log()
