"""Where a network looks: class activation maps (Zhou et al., CVPR 2016) and Grad-CAM (Selvaraju et al., ICCV 2017)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn import functional as F


def class_activation(unpooled: Tensor, weight: Tensor) -> Tensor:
    """What every place says for every class, bias left out: [B, h, w, classes].

    Args:
        unpooled: what is pooled before the classifier, [B, F, h, w].
        weight: the classifier's, [classes, F]; it gets no gradient.

    Raises ValueError for a network that puts more than a mean between the two.
    """
    if unpooled.shape[1] != weight.shape[1]:
        raise ValueError(
            f"class activation maps need a classifier of the last map's mean: it takes {weight.shape[1]} features, "
            f"and the map has {unpooled.shape[1]} channels"
        )
    return F.linear(unpooled.permute(0, 2, 3, 1), weight.detach())


def grad_cam(logits: Tensor, maps: Sequence[Tensor], classes: Tensor, *, keep_graph: bool) -> list[Tensor]:
    """Σ_c mean_hw(∂logit / ∂A_c) · A_c for every map A [B, C, h, w], without a ReLU: [B, h, w] each.

    The gradients are constants, so that there is no second derivative. They are those of the sum of all chosen logits:
    where batch norm is in training mode, an image also moves the logits of others.

    Args:
        logits: [B, classes].
        maps: stages of the same pass; the logits' graph leads to them.
        classes: whose logit is meant, of every image: int64 [B].
        keep_graph: whether something else goes back through it afterwards.
    """
    chosen = torch.zeros_like(logits).scatter_(1, classes[:, None], 1.0)
    gradients = torch.autograd.grad(logits, [_edge(one) for one in maps], chosen, retain_graph=keep_graph)
    pairs = zip(gradients, maps, strict=True)
    return [(gradient.to(one.dtype).mean((2, 3), keepdim=True) * one).sum(dim=1) for gradient, one in pairs]


def _edge(map_: Tensor) -> GradientEdge:
    """Where the logits' gradient of a map comes by.

    A network that calculates in 16 bits hands out copies in 32, and no logit depends on these.
    """
    edge = get_gradient_edge(map_)
    if edge.node.name() != "ToCopyBackward0":
        return edge
    original, output = edge.node.next_functions[0]
    assert original is not None
    return GradientEdge(original, output)


def of_common_sizes(one: Sequence[Tensor], other: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
    """Of two networks' stages [B, C, h, w] those of a height and width that both have, the last of each, in order.

    Raises ValueError if there are none.
    """
    mine, theirs = ({tuple(stage.shape[2:]): stage for stage in stages} for stages in (one, other))
    common = [size for size in mine if size in theirs]
    if not common:
        raise ValueError(f"two networks without stages of the same height and width: {[*mine]} and {[*theirs]}")
    return [mine[size] for size in common], [theirs[size] for size in common]


def at_the_smaller_size(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Two maps [B, C, h, w] of equal height and width: what is larger is averaged down. Our choice, as for ZSKT."""
    size = min(one.shape[2], other.shape[2]), min(one.shape[3], other.shape[3])
    mine, theirs = (m if m.shape[2:] == size else F.adaptive_avg_pool2d(m, size) for m in (one, other))
    return mine, theirs
