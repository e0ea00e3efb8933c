"""Residual networks (He et al. 2016) in the form of DAFL for 32×32 images: a 3×3 stem with stride 1 and no max-pool."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from harness.networks.staged import Staged


class BasicBlock(nn.Module):
    """Two 3×3 convolutions with batch norm; where the shape changes, so has the shortcut a 1×1 one with batch norm."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential()
        if stride != 1 or inputs != outputs:
            self.shortcut.append(nn.Conv2d(inputs, outputs, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, H / stride, W / stride], after ReLU."""
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        return F.relu(y + self.shortcut(x), inplace=True)


class ResNet(Staged):
    """Four groups of basic blocks with 64, 128, 256 and 512 channels. All weights start at PyTorch's default."""

    def __init__(self, blocks: Sequence[int], classes: int, channels: int) -> None:
        super().__init__()
        widths = [64, 64, 128, 256, 512]
        self.conv1 = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        self.groups = nn.Sequential(
            *(
                nn.Sequential(
                    BasicBlock(widths[g], widths[g + 1], stride),
                    *(BasicBlock(widths[g + 1], widths[g + 1], 1) for _ in range(blocks[g] - 1)),
                )
                for g, stride in enumerate((1, 2, 2, 2))
            )
        )
        self.linear = nn.Linear(widths[4], classes)


NETWORKS = {
    "resnet18": lambda classes, channels: ResNet((2, 2, 2, 2), classes, channels),
    "resnet34": lambda classes, channels: ResNet((3, 4, 6, 3), classes, channels),
}
