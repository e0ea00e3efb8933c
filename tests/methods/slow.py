"""The formulas of the methods, written out in loops: what the fast code is held against.

Everything here is written from the papers' formulas and calls nothing of methods/. Tensors keep their graph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

Statistics = dict[nn.Module, tuple[Tensor, Tensor]]
"""Layer -> mean and biased variance of its input."""


def softmax(row: Sequence[float], temperature: float = 1.0) -> list[float]:
    powers = [math.exp(value / temperature) for value in row]
    return [power / sum(powers) for power in powers]


def kl(teacher: Sequence[float], student: Sequence[float], temperature: float = 1.0) -> float:
    """τ² KL of one sample."""
    p, q = softmax(teacher, temperature), softmax(student, temperature)
    return temperature**2 * sum(a * (math.log(a) - math.log(b)) for a, b in zip(p, q, strict=True))


def probabilities(row: Tensor, temperature: float = 1.0) -> Tensor:
    """Softmax of one sample's logits [classes]."""
    powers = (row / temperature).exp()
    return powers / powers.sum()


def kl_rows(teacher: Tensor, student: Tensor, temperature: float = 1.0) -> list[Tensor]:
    """τ² KL of every sample, with graph."""
    found = []
    for t, s in zip(teacher, student, strict=True):
        p, q = probabilities(t, temperature), probabilities(s, temperature)
        found.append(temperature**2 * (p * (p / q).log()).sum())
    return found


def mean(values: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(values)).sum() / len(values)


def masked_kl(teacher: Tensor, student: Tensor) -> Tensor:
    """Sum of the KLs of those samples on which both agree, over the number of all."""
    kept = [
        value
        for value, t, s in zip(kl_rows(teacher, student), teacher.tolist(), student.tolist(), strict=True)
        if t.index(max(t)) == s.index(max(s))
    ]
    return torch.stack(kept).sum() / len(teacher) if kept else teacher.sum() * 0


def cross_entropies(logits: Tensor, y: Sequence[int]) -> list[Tensor]:
    return [-probabilities(row)[c].log() for row, c in zip(logits, y, strict=True)]


def largest(logits: Tensor) -> list[int]:
    return [row.index(max(row)) for row in logits.tolist()]


def mean_prediction(logits: Tensor) -> Tensor:
    return torch.stack([probabilities(row) for row in logits]).sum(0) / len(logits)


def batch_norm_inputs(network: nn.Module, x: Tensor) -> tuple[dict[nn.Module, Tensor], Tensor]:
    """What enters every batch norm, by hooks, in order of execution; and the logits."""
    seen: dict[nn.Module, Tensor] = {}

    def look(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[layer] = inputs[0]

    hooks = [m.register_forward_pre_hook(look) for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    logits = network(x)
    for hook in hooks:
        hook.remove()
    return seen, logits


def statistics(inputs: dict[nn.Module, Tensor]) -> Statistics:
    """Mean and biased variance of every channel of every layer."""
    found = {}
    for layer, x in inputs.items():
        flat = x.transpose(0, 1).reshape(x.shape[1], -1)
        means = flat.sum(1) / flat.shape[1]
        found[layer] = means, ((flat - means[:, None]) ** 2).sum(1) / flat.shape[1]
    return found


def bn_loss(found: Statistics, average: Statistics | None = None, momentum: float = 0.0) -> Tensor:
    """R_BN; with the average of earlier rounds mixed in, if there is one."""
    total = torch.zeros(())
    for layer, (m, v) in found.items():
        assert isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None and layer.running_var is not None
        if average is not None:
            m = (1 - momentum) * m + momentum * average[layer][0]
            v = (1 - momentum) * v + momentum * average[layer][1]
        total = total + ((layer.running_mean - m) ** 2).sum().sqrt() + ((layer.running_var - v) ** 2).sum().sqrt()
    return total


def node_distance(
    network: nn.Module,
    names: Sequence[str],
    maps: Sequence[Tensor],
    inputs: dict[nn.Module, Tensor],
    average: Statistics | None,
    momentum: float,
) -> Tensor:
    """CPNet's L_xn between a generator's maps and what entered the batch norms called so."""
    total = torch.zeros(())
    for name, mine in zip(names, maps, strict=True):
        layer = network.get_submodule(name)
        assert isinstance(layer, nn.BatchNorm2d) and layer.running_mean is not None and layer.running_var is not None
        squares = []
        for c, channel in enumerate(inputs[layer].detach().transpose(0, 1)):
            m = channel.sum() / channel.numel()
            v = ((channel - m) ** 2).sum() / (channel.numel() - 1)
            if average is not None:
                m = (1 - momentum) * m + momentum * average[layer][0][c]
                v = (1 - momentum) * v + momentum * average[layer][1][c]
            wanted = (channel - m) / v.sqrt() * layer.running_var[c].sqrt() + layer.running_mean[c]
            squares.append(((mine[:, c] - wanted) ** 2).sum())
        total = total + torch.stack(squares).sum() / mine.numel()
    return total


def move_average(average: Statistics | None, found: Statistics, momentum: float) -> Statistics:
    """What a round leaves behind: the batch itself at first, a moving average afterwards."""
    now = {layer: (m.detach(), v.detach()) for layer, (m, v) in found.items()}
    if average is None:
        return now
    return {
        layer: (
            momentum * average[layer][0] + (1 - momentum) * now[layer][0],
            momentum * average[layer][1] + (1 - momentum) * now[layer][1],
        )
        for layer in now
    }


def crop(image: Tensor, view: int, pad: int) -> Tensor:
    """View number ``view`` of one image [C, H, W]: offsets row by row, then all of them mirrored."""
    channels, height, width = image.shape
    side = 2 * pad + 1
    mirrored, offset = divmod(view, side * side)
    top, left = divmod(offset, side)
    padded = torch.zeros(channels, height + 2 * pad, width + 2 * pad, dtype=image.dtype)
    padded[:, pad : pad + height, pad : pad + width] = image
    cut = padded[:, top : top + height, left : left + width]
    return cut.flip(2) if mirrored else cut


def resized(image: Tensor, box: Sequence[int], mirrored: bool) -> Tensor:
    """A part (top, left, height, width) of one image [C, H, W], resized to its size."""
    top, left, height, width = box
    part = image[None, :, top : top + height, left : left + width]
    whole = nn.functional.interpolate(part, size=image.shape[1:], mode="bilinear", align_corners=True)[0]
    return whole.flip(2) if mirrored else whole


def normalised(images: Tensor, of: Sequence[float], std: Sequence[float]) -> Tensor:
    """(x - mean) / std, channel by channel."""
    channels = [(images[:, c] - of[c]) / std[c] for c in range(images.shape[1])]
    return torch.stack(channels, dim=1)


def distance(a: Tensor, b: Tensor) -> float:
    """Relative difference ‖a - b‖ / ‖b‖."""
    return ((a - b).norm() / b.norm()).item()


def assert_same(mine: Tensor, theirs: Tensor, *inputs: Tensor) -> None:
    """Value and gradients agree."""
    assert math.isclose(mine.item(), theirs.item(), rel_tol=1e-10)
    for x in inputs:
        gradients = [torch.autograd.grad(y, x, retain_graph=True)[0] for y in (mine, theirs)]
        assert gradients[1].norm() > 1e-6
        assert distance(*gradients) < 1e-10
