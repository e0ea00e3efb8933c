"""The batch-norm statistic loss, plain and with momentum."""

from __future__ import annotations

import torch
from torch import Tensor

from methods.parts.state import Stateful
from methods.parts.teacher import ChannelStatistics, FrozenTeacher


class BatchNormLoss(Stateful):
    """R_BN = Σ_layers ‖v - σ²‖₂ + ‖m - μ‖₂, between a batch's statistics and those stored in the teacher.

    Norms are over a layer's channels; σ² is biased; layers are summed. DeepInversion (CVPR 2020), as in
    Fast-Datafree, datafree/hooks.py.

    With ``momentum`` ρ > 0 (Fast, AAAI 2022), a batch's statistics are mixed with a running average of earlier rounds,
    (1 - ρ) · batch + ρ · average, from the second round on; `commit` moves the average once per round.
    """

    state = ("average_mean", "average_variance", "commits")

    def __init__(self, teacher: FrozenTeacher, momentum: float = 0.0) -> None:
        self.target = teacher.running
        self.momentum = momentum
        self._layer_of_channel = _membership(teacher.channels, self.target.mean)
        self.average_mean = torch.zeros_like(self.target.mean)
        self.average_variance = torch.zeros_like(self.target.variance)
        self.commits = 0

    def __call__(self, batch: ChannelStatistics) -> Tensor:
        """The loss of a batch, 0-dim."""
        mean, variance = batch.mean, batch.variance
        if self.momentum and self.commits:
            mean = torch.lerp(mean, self.average_mean, self.momentum)
            variance = torch.lerp(variance, self.average_variance, self.momentum)
        return self._norms(self.target.mean - mean) + self._norms(self.target.variance - variance)

    @torch.no_grad()
    def commit(self, batch: ChannelStatistics) -> None:
        """Move the average by the last batch of a round; the first call sets it."""
        weight = 1 - self.momentum if self.commits else 1.0
        self.average_mean.lerp_(batch.mean, weight)
        self.average_variance.lerp_(batch.variance, weight)
        self.commits += 1

    def _norms(self, difference: Tensor) -> Tensor:
        """Sum over layers of the Euclidean norm; its sub-gradient at a norm of 0 is 0."""
        squares = self._layer_of_channel @ difference.square()
        positive = squares > 0
        return torch.where(positive, squares, 1.0).sqrt().mul(positive).sum()


def _membership(channels: list[int], like: Tensor) -> Tensor:
    """[layers, ΣC] matrix of 0 and 1: which channel belongs to which layer."""
    layer = torch.repeat_interleave(torch.arange(len(channels)), torch.tensor(channels))
    return (layer == torch.arange(len(channels))[:, None]).to(like)
