"""Nodes: batch norms of the teacher whose inputs a generator has counterparts of, and how far both are apart."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from methods.base.method import Context
from methods.base.teacher import ChannelStatistics, FrozenTeacher, TeacherOutput
from methods.parts.losses import BatchNormLoss

MOST = 4
"""As many as LannCX/CPNet lists for each teacher."""


@dataclass(frozen=True)
class Node:
    """A batch norm of the teacher."""

    name: str
    """As in `FrozenTeacher.batch_norms`."""
    shape: tuple[int, ...]
    """Of what enters it: C, H, W."""


@torch.no_grad()
def nodes_of(context: Context) -> list[Node]:
    """The teacher's nodes, the deepest first: for each size of the maps the last batch norm of a pass, four at most.

    Where that makes less than four, the first batch norm of the pass is one more. For ResNet-34, VGG-11 and WRN-40-2
    these are the nodes that LannCX/CPNet lists by name; the rule, which other teachers need, is ours.
    Raises NoBatchNorm for a teacher without such layers.
    """
    teacher = context.teacher
    teacher.require_batch_norm()
    blank = torch.zeros(1, *context.task.shape, device=context.device)
    inputs = teacher(blank, inputs_of=teacher.batch_norms).inputs or {}
    passed = [Node(name, tuple(x.shape[1:])) for name, x in inputs.items()]
    last_of_size = {node.shape[1:]: node for node in passed}
    nodes = sorted(last_of_size.values(), key=lambda node: node.shape[1:])
    return [*nodes, *(node for node in passed[:1] if node not in nodes)][:MOST]


class NodeDistance:
    """Σ over nodes of the mean square between a generator's maps and the teacher's, recoloured: CPNet's L_xn.

    Recoloured: each channel moved from the batch's mean and variance, mixed with the running average of ``bn_loss``, to
    those stored in the teacher. Only the generator's side has a gradient.
    """

    def __init__(self, nodes: Sequence[Node], teacher: FrozenTeacher, bn_loss: BatchNormLoss) -> None:
        self.nodes, self.bn_loss = nodes, bn_loss
        ends = itertools.accumulate(teacher.channels)
        counts = zip(teacher.batch_norms, teacher.channels, ends, strict=True)
        self._channels = {name: slice(end - count, end) for name, count, end in counts}

    def __call__(self, maps: Sequence[Tensor], answer: TeacherOutput) -> Tensor:
        """The distance, 0-dim.

        Args:
            maps: the generator's, one for each node, [B, C, H, W].
            answer: the teacher's, with `inputs` of all nodes and `statistics`.
        """
        theirs = [self.recoloured(node, answer) for node in self.nodes]
        return torch.stack([F.mse_loss(*pair) for pair in zip(maps, theirs, strict=True)]).sum()

    @torch.no_grad()
    def recoloured(self, node: Node, answer: TeacherOutput) -> Tensor:
        """What entered the batch norm, with the mean and variance that it has stored: [B, C, H, W]."""
        assert answer.inputs is not None and answer.statistics is not None
        x, channels, target = answer.inputs[node.name], self._channels[node.name], self.bn_loss.target
        count = x.numel() // x.shape[1]
        unbiased = answer.statistics.variance[channels] * (count / (count - 1))
        found = self.bn_loss.mixed(ChannelStatistics(answer.statistics.mean[channels], unbiased), channels)
        ratio = target.variance[channels] / found.variance
        scale = torch.where(found.variance > 0, ratio, 0.0).sqrt()  # what does not vary cannot be stretched
        return torch.addcmul(_map(target.mean[channels]), x - _map(found.mean), _map(scale))


def _map(values: Tensor) -> Tensor:
    """[C] to [C, 1, 1]."""
    return values[:, None, None]
