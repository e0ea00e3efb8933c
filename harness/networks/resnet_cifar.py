"""Residual networks for 32×32 images as their paper has them (He et al. 2016, section 4.2): 6 n + 2 layers, thin.

Shortcuts are of type A: where the shape changes, pixels are subsampled and channels padded with zeros, so that no
shortcut has parameters. akamaster/pytorch_resnet_cifar10 pads as many channels before as after; so do we.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn import functional as F

from harness.networks.staged import Staged

WIDTHS = (16, 16, 32, 64)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions with batch norm beside a shortcut without parameters."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.stride, self.padding = (1, 0) if inputs == outputs else (2, (outputs - inputs) // 2)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, self.stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, H / stride, W / stride], after ReLU."""
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        return F.relu(y + self._shortcut(x), inplace=True)

    def _shortcut(self, x: Tensor) -> Tensor:
        if self.stride == 1:
            return x
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.padding, self.padding))


class CifarResNet(Staged):
    """A 3×3 stem and three groups of ``blocks`` basic blocks with 16, 32 and 64 channels; weights as He et al. 2015."""

    def __init__(self, blocks: int, classes: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(WIDTHS[0])
        self.groups = nn.Sequential(
            *(
                nn.Sequential(
                    BasicBlock(WIDTHS[g], WIDTHS[g + 1]),
                    *(BasicBlock(WIDTHS[g + 1], WIDTHS[g + 1]) for _ in range(blocks - 1)),
                )
                for g in range(3)
            )
        )
        self.linear = nn.Linear(WIDTHS[3], classes)
        self.apply(_initialise)


def _initialise(module: nn.Module) -> None:
    """Convolutions and the linear layer N(0, √(2 / fan-in)), as in akamaster's code; the rest is PyTorch's default."""
    if isinstance(module, nn.Conv2d | nn.Linear):
        nn.init.kaiming_normal_(module.weight)


def _resnet(depth: int) -> Callable[[int, int], nn.Module]:
    return lambda classes, channels: CifarResNet((depth - 2) // 6, classes, channels)


NETWORKS = {
    "resnet20": _resnet(20),
    "resnet32": _resnet(32),
    "resnet44": _resnet(44),
    "resnet56": _resnet(56),
    "resnet110": _resnet(110),
}
