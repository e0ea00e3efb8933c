"""The forward pass that residual networks share: a stem, groups of blocks, a mean over pixels, a linear layer."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F


class Staged(nn.Module):
    """A network that sets these four in its constructor."""

    conv1: nn.Conv2d
    bn1: nn.BatchNorm2d
    groups: nn.Sequential
    linear: nn.Linear

    def forward(self, x: Tensor, return_features: bool = False) -> Tensor | tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Logits [B, classes] of ``x`` [B, C, H, W]; with ``return_features`` also features [B, F] and stages.

        The features are the last group's mean over its pixels, F channels. The stages are the stem's and the groups'
        outputs, all after ReLU.
        """
        stages = [F.relu(self.bn1(self.conv1(x)), inplace=True)]
        for group in self.groups:
            stages.append(group(stages[-1]))
        features = stages[-1].mean(dim=(2, 3))
        logits: Tensor = self.linear(features)
        return (logits, features, tuple(stages)) if return_features else logits
