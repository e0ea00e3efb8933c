"""What a network shows of its inside in one pass: the same of a teacher and of a student."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Inside:
    """What one forward pass came by; all of it has its graph."""

    logits: Tensor
    """[B, classes]; in dense tasks [B, classes, H, W]."""
    features: Tensor
    """Pooled penultimate activations [B, F]; in dense tasks [B, F, h, w]."""
    stages: tuple[Tensor, ...]
    """Activations after the stem and at the end of each stage, [B, C, H, W] each."""
    unpooled: Tensor
    """The map that the features are the mean of: [B, F, h, w]. The last stage, unless the network says otherwise."""


def look_inside(network: nn.Module, x: Tensor) -> Inside:
    """Forward ``x`` [B, C, H, W] through a network of docs/bring-a-network.md."""
    logits, features, stages, *unpooled = network(x, return_features=True)
    return Inside(logits, features, tuple(stages), unpooled[0] if unpooled else stages[-1])


class NoClassifier(ValueError):
    """A method wants the weights of a network's last linear layer, and it has no such layer: all dense ones."""


def classifier(network: nn.Module) -> nn.Linear:
    """The linear layer that ends a network. Raises NoClassifier if there is none."""
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    if not linear:
        raise NoClassifier(f"{type(network).__name__} does not end in a linear layer: there are no weights to hand out")
    return linear[-1]
