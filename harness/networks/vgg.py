"""VGG (Simonyan and Zisserman 2015) with batch norm, in the form of RepDistiller for 32×32 images: one linear layer."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F


class VGG(nn.Module):
    """Groups of 3×3 convolutions with bias, batch norm and ReLU; ``widths`` has the channels of each group."""

    def __init__(self, widths: Sequence[Sequence[int]], classes: int, channels: int) -> None:
        super().__init__()
        inputs = [channels, *(group[-1] for group in widths)]
        self.groups = nn.ModuleList(_group(inputs[g], group) for g, group in enumerate(widths))
        self.linear = nn.Linear(inputs[-1], classes)
        self.apply(_initialise)

    def forward(self, x: Tensor, return_features: bool = False) -> Tensor | tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Logits [B, classes] of ``x`` [B, C, H, W]; with ``return_features`` also features [B, 512] and stages.

        The stages are the groups' outputs, after ReLU and before the pool that follows. A 2×2 max-pool follows the
        first three groups, and the fourth one only for images of height 64.
        """
        pools, stages = 4 if x.shape[2] == 64 else 3, []
        for g, group in enumerate(self.groups):
            stages.append(group(x))
            x = F.max_pool2d(stages[-1], 2) if g < pools else stages[-1]
        features = x.mean(dim=(2, 3))
        logits: Tensor = self.linear(features)
        return (logits, features, tuple(stages)) if return_features else logits


def _group(inputs: int, widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in zip([inputs, *widths], widths, strict=False):
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)


def _initialise(module: nn.Module) -> None:
    """Convolutions N(0, √(2 / (k² · outputs))), linear weights N(0, 0.01), biases 0."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        assert module.bias is not None
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, 0.0, 0.01)
        nn.init.zeros_(module.bias)


NETWORKS = {
    "vgg11": lambda classes, channels: VGG([[64], [128], [256, 256], [512, 512], [512, 512]], classes, channels),
}
