"""The frozen teacher: one forward pass, and on request what happened inside it, as outputs."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.parts.state import Stateful


@dataclass(frozen=True)
class ChannelStatistics:
    """Mean and biased variance of the input of every batch-norm layer, concatenated in one fixed order: [ΣC]."""

    mean: Tensor
    variance: Tensor


@dataclass(frozen=True)
class TeacherOutput:
    """What one forward pass returns; None for what was not asked for."""

    logits: Tensor
    features: Tensor | None = None
    """Pooled penultimate activations [B, F]."""
    statistics: ChannelStatistics | None = None


class FrozenTeacher(Stateful):
    """A copy of a trained network in evaluation mode whose parameters need no gradient; its input may.

    Batch-norm layers are replaced by ones that hand out their input's statistics, so no hooks stay behind and a pass
    that does not ask for them pays nothing.
    """

    state = ("images_forwarded",)

    def __init__(self, network: nn.Module) -> None:
        self._seen: dict[nn.Module, tuple[Tensor, Tensor]] | None = None
        self._network = copy.deepcopy(network).eval().requires_grad_(False)
        self._layers = _replace_batch_norms(self._network, self)
        self.images_forwarded = 0

    def __call__(self, x: Tensor, *, features: bool = False, statistics: bool = False) -> TeacherOutput:
        """Forward ``x`` [B, C, H, W], normalised as the teacher was trained."""
        self.images_forwarded += len(x)
        self._seen = {} if statistics else None
        logits, pooled, _ = self._network(x, return_features=True)
        return TeacherOutput(logits, pooled if features else None, self._collect())

    @torch.no_grad()
    def logits(self, x: Tensor) -> Tensor:
        """Logits [B, classes] without a graph."""
        return self(x).logits

    @property
    def running(self) -> ChannelStatistics:
        """The statistics stored in the batch-norm layers. Raises ValueError for a teacher without such layers."""
        if not self._layers:
            raise ValueError("the teacher has no batch-norm layers, so there are no statistics to match")
        return ChannelStatistics(
            torch.cat([layer.mean for layer in self._layers]), torch.cat([layer.variance for layer in self._layers])
        )

    @property
    def channels(self) -> list[int]:
        """Channels of each batch-norm layer, in the order of the statistics."""
        return [len(layer.mean) for layer in self._layers]

    def observe(self, layer: nn.Module, x: Tensor) -> None:
        """Note the statistics of a batch-norm layer's input [B, C, H, W], if the current pass asked for them."""
        if self._seen is not None:
            variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
            self._seen[layer] = mean, variance

    def _collect(self) -> ChannelStatistics | None:
        seen, self._seen = self._seen, None
        if not seen:
            return None
        means, variances = zip(*(seen[layer] for layer in self._layers), strict=True)
        return ChannelStatistics(torch.cat(means), torch.cat(variances))


class _ObservedBatchNorm(nn.Module):
    """Batch normalisation with stored statistics that shows its input to the teacher."""

    def __init__(self, source: nn.BatchNorm2d, teacher: FrozenTeacher) -> None:
        super().__init__()
        if source.running_mean is None or source.running_var is None:
            raise ValueError("a batch-norm layer of the teacher keeps no running statistics")
        self.mean: Tensor
        self.variance: Tensor
        self.register_buffer("mean", source.running_mean)
        self.register_buffer("variance", source.running_var)
        self.weight, self.bias, self.eps = source.weight, source.bias, source.eps
        self._observe = teacher.observe

    def forward(self, x: Tensor) -> Tensor:
        self._observe(self, x)
        return F.batch_norm(x, self.mean, self.variance, self.weight, self.bias, training=False, eps=self.eps)


def _replace_batch_norms(network: nn.Module, teacher: FrozenTeacher) -> list[_ObservedBatchNorm]:
    found = []
    for parent in list(network.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                observed = _ObservedBatchNorm(child, teacher)
                setattr(parent, name, observed)
                found.append(observed)
    return found
