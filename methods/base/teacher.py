"""The frozen teacher: one forward pass, and on request what happened inside it, as outputs."""

from __future__ import annotations

import copy
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.base.inside import classifier, look_inside
from methods.base.state import Stateful


@dataclass(frozen=True)
class ChannelStatistics:
    """Mean and biased variance of the input of every batch-norm layer, concatenated in one fixed order: [ΣC]."""

    mean: Tensor
    variance: Tensor


@dataclass(frozen=True)
class TeacherOutput:
    """What one forward pass returns; None for what was not asked for."""

    logits: Tensor
    """[B, classes]; in dense tasks [B, classes, H, W]."""
    features: Tensor | None = None
    """Pooled penultimate activations [B, F]."""
    stages: tuple[Tensor, ...] | None = None
    """Activations after the stem and at the end of each stage, [B, C, H, W] each."""
    unpooled: Tensor | None = None
    """The map that ``features`` are the mean of: [B, F, h, w]."""
    statistics: ChannelStatistics | None = None
    """Of this batch; `FrozenTeacher.running` has what they shall come near to."""
    instance_means: Tensor | None = None
    """Every sample's spatial means of the inputs of all batch-norm layers, concatenated: [B, ΣC]."""
    inputs: dict[str, Tensor] | None = None
    """Inputs of batch-norm layers, [B, C, H, W] each, by name, in the order in which the pass came to them."""


@dataclass(frozen=True)
class Classifier:
    """The linear layer that ends a network: logits = features @ weight.T + bias."""

    weight: Tensor
    """[classes, F], F as in `TeacherOutput.features`."""
    bias: Tensor
    """[classes]; zeros if the layer has none."""


class NoBatchNorm(ValueError):
    """A method wants batch-norm statistics of a teacher that has no such layers."""


class FrozenTeacher(Stateful):
    """A copy of a trained network in evaluation mode whose parameters need no gradient; its input may.

    Batch-norm layers are replaced by ones that hand out what is asked of their input, so no hooks stay behind, and a
    pass that asks for nothing pays nothing.
    """

    state = ("images_forwarded",)

    def __init__(self, network: nn.Module) -> None:
        self._seen = _Seen()
        self._network = copy.deepcopy(network).eval().requires_grad_(False).to(memory_format=torch.channels_last)
        self._layers = _replace_batch_norms(self._network, self)
        self.images_forwarded = 0

    def __call__(
        self,
        x: Tensor,
        *,
        features: bool = False,
        stages: bool = False,
        unpooled: bool = False,
        statistics: bool = False,
        instance_means: bool = False,
        inputs_of: Collection[str] = (),
    ) -> TeacherOutput:
        """Forward ``x`` [B, C, H, W], normalised as the teacher was trained; all that comes back has its graph.

        Args:
            x: the images.
            features, stages, unpooled, statistics, instance_means: whether to hand these out, see `TeacherOutput`.
            inputs_of: names, among `batch_norms`, of layers whose input to hand out. Raises ValueError for others.
        """
        if inputs_of and (unknown := set(inputs_of).difference(self.batch_norms)):
            known = ", ".join(self.batch_norms)
            raise ValueError(f"no batch-norm layer of the teacher: {', '.join(sorted(unknown))}; known: {known}")
        self.images_forwarded += len(x)
        seen = self._seen = _Seen(statistics, instance_means, inputs_of)
        inside = look_inside(self._network, x) if features or stages or unpooled else None
        logits = self._network(x) if inside is None else inside.logits
        self._seen = _Seen()  # the teacher lives on, and with it would the graph of this pass
        return TeacherOutput(
            logits,
            features=inside.features if inside and features else None,
            stages=inside.stages if inside and stages else None,
            unpooled=inside.unpooled if inside and unpooled else None,
            statistics=self._statistics(seen) if statistics else None,
            instance_means=torch.cat([seen.instance[layer] for layer in self._layers], 1) if instance_means else None,
            inputs=seen.inputs if inputs_of else None,
        )

    @torch.no_grad()
    def logits(self, x: Tensor) -> Tensor:
        """Logits [B, classes] without a graph."""
        return self(x).logits

    @property
    def running(self) -> ChannelStatistics:
        """The statistics stored in the batch-norm layers. Raises NoBatchNorm for a teacher without such layers."""
        self.require_batch_norm()
        return ChannelStatistics(
            torch.cat([layer.mean for layer in self._layers]), torch.cat([layer.variance for layer in self._layers])
        )

    def require_batch_norm(self) -> None:
        """Raise NoBatchNorm if the teacher has no such layers."""
        if not self._layers:
            raise NoBatchNorm("the teacher has no batch-norm layers, so there are no statistics to match")

    @property
    def nbytes(self) -> int:
        """Size of its weights and statistics in bytes."""
        return sum(tensor.nbytes for tensor in self._network.state_dict().values())

    @property
    def classifier(self) -> Classifier:
        """The weights of the last linear layer. Raises NoClassifier if the teacher has none."""
        last = classifier(self._network)
        return Classifier(last.weight, last.weight.new_zeros(last.out_features) if last.bias is None else last.bias)

    @property
    def batch_norms(self) -> list[str]:
        """Name of each batch-norm layer, in the order of the statistics, which need not be that of a pass."""
        return [layer.name for layer in self._layers]

    @property
    def first_batch_norm(self) -> int:
        """Which of `batch_norms` is the first that the network's modules have, block after block."""
        modules = self._network.named_modules()
        return self.batch_norms.index(next(name for name, module in modules if isinstance(module, ObservedBatchNorm)))

    @property
    def channels(self) -> list[int]:
        """Channels of each batch-norm layer, in the order of the statistics."""
        return [len(layer.mean) for layer in self._layers]

    def batch_norm(self, layer: ObservedBatchNorm, x: Tensor) -> Tensor:
        """Normalise ``x`` [B, C, H, W] in ``layer``, and note what the current pass wants to know of it."""
        if self._seen.wants_instance_means:
            self._seen.instance[layer] = x.mean(dim=(2, 3), dtype=_at_least_single(x))
        if layer.name in self._seen.wants_inputs_of:
            self._seen.inputs[layer.name] = x.to(_at_least_single(x))
        if not self._seen.wants_statistics:
            return F.batch_norm(x, layer.mean, layer.variance, layer.weight, layer.bias, eps=layer.eps)
        y, mean, variance = NormalisedWithStatistics.apply(x, layer)
        self._seen.statistics[layer] = mean, variance
        return cast(Tensor, y)

    def _statistics(self, seen: _Seen) -> ChannelStatistics:
        self.require_batch_norm()
        means, variances = zip(*(seen.statistics[layer] for layer in self._layers), strict=True)
        return ChannelStatistics(torch.cat(means), torch.cat(variances))


@dataclass
class _Seen:
    """What one pass shall find out about the inputs of the batch-norm layers, and what it found."""

    wants_statistics: bool = False
    wants_instance_means: bool = False
    wants_inputs_of: Collection[str] = ()
    statistics: dict[nn.Module, tuple[Tensor, Tensor]] = field(default_factory=dict)
    instance: dict[nn.Module, Tensor] = field(default_factory=dict)
    inputs: dict[str, Tensor] = field(default_factory=dict)


class ObservedBatchNorm(nn.Module):
    """Batch normalisation with stored statistics, left to the teacher to carry out."""

    def __init__(self, name: str, source: nn.BatchNorm2d, teacher: FrozenTeacher) -> None:
        super().__init__()
        self.name = name
        if source.running_mean is None or source.running_var is None:
            raise ValueError("a batch-norm layer of the teacher keeps no running statistics")
        self.mean: Tensor
        self.variance: Tensor
        self.register_buffer("mean", source.running_mean)
        self.register_buffer("variance", source.running_var)
        self.weight, self.bias, self.eps = source.weight, source.bias, source.eps
        self._batch_norm = teacher.batch_norm

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] to the same shape."""
        return self._batch_norm(self, x)


class NormalisedWithStatistics(torch.autograd.Function):
    """Batch normalisation with stored statistics that also returns mean and biased variance of its input.

    All three outputs send their gradients back in one affine pass over the input,
    dx = scale · dy + (dm - 2 μ dv) / n + (2 dv / n) · x, in place of a chain of them.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, layer: ObservedBatchNorm) -> tuple[Tensor, Tensor, Tensor]:
        """Normalised ``x`` [B, C, H, W], and its `moments`, [C] each."""
        mean, variance = moments(x)
        ctx.save_for_backward(x, mean)
        ctx.layer = layer
        return F.batch_norm(x, layer.mean, layer.variance, layer.weight, layer.bias, eps=layer.eps), mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """Gradient of ``x`` [B, C, H, W]; the layer is frozen."""
        (x, mean), (dy, dm, dv) = ctx.saved_tensors, gradients
        layer, n = ctx.layer, x.numel() / x.shape[1]
        # the statistics' gradients are affine in x, channel by channel: folded together, x is read once and not centred
        slope = 2 * dv / n
        scale = (layer.variance + layer.eps).rsqrt() * (1 if layer.weight is None else layer.weight)
        dx = torch.addcmul(_channels(dm / n - slope * mean), x, _channels(slope))
        return dx.addcmul_(dy, _channels(scale)).to(x.dtype), None


def _at_least_single(x: Tensor) -> torch.dtype:
    """In what statistics of ``x`` are calculated: 16 bits would lose what they are compared by."""
    return x.dtype if x.dtype.itemsize >= 4 else torch.float32


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each channel of ``x`` [B, C, H, W]: [C] both, in 32 bits at least."""
    x = x.to(_at_least_single(x))
    if x.device.type != "cpu":
        variance, mean = torch.var_mean(x, dim=(0, 2, 3), correction=0)
        return mean, variance
    # on a CPU torch.var_mean goes value by value: these passes, in whole vectors, take a seventh of its time
    mean = x.mean(dim=(0, 2, 3))
    return mean, (x - _channels(mean)).square_().mean(dim=(0, 2, 3))


def _channels(values: Tensor) -> Tensor:
    """[C] to [1, C, 1, 1]."""
    return values[:, None, None]


def _replace_batch_norms(network: nn.Module, teacher: FrozenTeacher) -> list[ObservedBatchNorm]:
    found = []
    for path, parent in list(network.named_modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.BatchNorm2d):
                observed = ObservedBatchNorm(f"{path}.{name}".removeprefix("."), child, teacher)
                setattr(parent, name, observed)
                found.append(observed)
    return found
