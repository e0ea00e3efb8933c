"""Wide residual networks (Zagoruyko and Komodakis 2016), the form of the ZSKT repository and its successors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """Pre-activation block; where the width changes, the shortcut is a 1×1 convolution of the activated input."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, H / stride, W / stride]."""
        active = F.relu(self.bn1(x), inplace=True)
        y: Tensor = self.conv2(F.relu(self.bn2(self.conv1(active)), inplace=True))
        return y + (x if self.shortcut is None else self.shortcut(active))


class WideResNet(nn.Module):
    """WRN-depth-width: three groups of (depth - 4) / 6 blocks with 16, 32 and 64 times ``width`` channels."""

    def __init__(self, depth: int, width: int, classes: int, channels: int) -> None:
        super().__init__()
        if (depth - 4) % 6:
            raise ValueError(f"depth {depth} is not 4 + 6 n")
        blocks, widths = (depth - 4) // 6, [16, 16 * width, 32 * width, 64 * width]
        self.conv1 = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.groups = nn.Sequential(
            *(
                nn.Sequential(
                    *(
                        Block(widths[g] if i == 0 else widths[g + 1], widths[g + 1], stride if i == 0 else 1)
                        for i in range(blocks)
                    )
                )
                for g, stride in enumerate((1, 2, 2))
            )
        )
        self.bn = nn.BatchNorm2d(widths[3])
        self.linear = nn.Linear(widths[3], classes)
        self.apply(_initialise)

    def forward(self, x: Tensor, return_features: bool = False) -> Tensor | tuple[Any, ...]:
        """Logits [B, classes] of ``x`` [B, C, H, W]; with ``return_features`` also features [B, 64 · width] and stages.

        The stages are the first convolution's output and the sum that ends each group, before any activation. The last
        one is activated before it is pooled, and comes so as a fourth thing.
        """
        stages = [self.conv1(x)]
        for group in self.groups:
            stages.append(group(stages[-1]))
        active = F.relu(self.bn(stages[-1]), inplace=True)
        features = active.mean(dim=(2, 3))
        logits: Tensor = self.linear(features)
        return (logits, features, tuple(stages), active) if return_features else logits


def _initialise(module: nn.Module) -> None:
    """Convolutions N(0, √(2 / (k² · outputs))), linear bias 0; the rest is PyTorch's default."""
    if isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    elif isinstance(module, nn.Linear):
        nn.init.zeros_(module.bias)


def _wrn(depth: int, width: int) -> Callable[[int, int], nn.Module]:
    return lambda classes, channels: WideResNet(depth, width, classes, channels)


NETWORKS = {
    "wrn10_1": _wrn(10, 1),
    "wrn16_1": _wrn(16, 1),
    "wrn16_2": _wrn(16, 2),
    "wrn40_1": _wrn(40, 1),
    "wrn40_2": _wrn(40, 2),
}
