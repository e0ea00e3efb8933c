"""DeepLabv3 (Chen et al. 2017) for dense prediction, on ResNet-50 and MobileNetV2, in the form of DFAD's code.

Logits are [B, classes, H, W] here, and the features are the map that enters the pyramid [B, F, h, w]: an eighth of the
image's size. VainF/Data-Free-Adversarial-Distillation, network/segmentation; later copies of it differ in dilations,
padding and initialisation, and their weights do not fit.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

DILATIONS = (12, 24, 32)
"""Of the pyramid's 3×3 convolutions; the paper has 12, 24, 36 at this output stride."""
MOBILENET = (
    ((1, 16, 1, 1, 1), (6, 24, 2, 2, 1)),
    ((6, 32, 3, 2, 1),),
    ((6, 64, 4, 1, 1), (6, 96, 3, 1, 2)),
    ((6, 160, 3, 1, 2), (6, 320, 1, 1, 4)),
)
"""MobileNetV2's stages; each group is (expansion, channels, blocks, stride of the first block, dilation).

The last two stages had stride 2 before their strides became dilations; so its stages and ResNet-50's match in size.
"""


class DeepLabV3(nn.Module):
    """A backbone, a pyramid of dilated convolutions over its output, bilinear upsampling to the image's size.

    Args:
        backbone: from images to a list of stages, whose last one has ``width`` channels.
        dropout: before the last 3×3 convolution.
    """

    def __init__(self, backbone: nn.Module, width: int, classes: int, dropout: float = 0.5) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Sequential(
            Pyramid(width, 256),
            *_conv_bn(1280, 256, 1),
            nn.ReLU(),
            nn.Dropout(dropout),
            *_conv_bn(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, classes, 1),
        )

    def forward(self, x: Tensor, return_features: bool = False) -> Tensor | tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Logits [B, classes, H, W] of ``x`` [B, C, H, W]; with ``return_features`` also features and stages.

        The features are the last stage [B, width, H / 8, W / 8]. The stages are the stem's output and those of the four
        stages of the backbone, at 1/2, 1/4, 1/8, 1/8 and 1/8 of the size.
        """
        stages: list[Tensor] = self.backbone(x)
        features = stages[-1]
        logits = F.interpolate(self.head(features), size=x.shape[2:], mode="bilinear", align_corners=False)
        return (logits, features, tuple(stages)) if return_features else logits


class Pyramid(nn.Module):
    """Atrous spatial pyramid pooling: a 1×1 convolution, three dilated ones and the image's mean, side by side."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.branches = nn.ModuleList([nn.Sequential(*_conv_bn(inputs, outputs, 1), nn.ReLU())])
        for dilation in DILATIONS:
            conv = DilatedConv2d(inputs, outputs, 3, padding=dilation, dilation=dilation, bias=False)
            self.branches.append(nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU()))
        self.pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), *_conv_bn(inputs, outputs, 1), nn.ReLU())

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, h, w] to [B, 5 · outputs, h, w]. In training mode batches need two images for the mean's norm."""
        mean = self.pooled(x).expand(-1, -1, *x.shape[2:])  # what upsampling a single pixel gives
        return torch.cat([*(branch(x) for branch in self.branches), mean], dim=1)


class DilatedConv2d(nn.Conv2d):
    """A 3×3 convolution padded by its dilation, which leaves out the taps that meet nothing but padding.

    Where the dilation is no smaller than the map, only the centre has something to read: the same numbers from a ninth
    of the operations. The other weights get gradients of 0, so weight decay still acts on them.
    """

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, h, w] to [B, outputs, h, w]."""
        if self.dilation[0] >= max(x.shape[2:]):
            return F.conv2d(x, self.weight[:, :, 1:2, 1:2])
        return super().forward(x)


class ResNet50(nn.Module):
    """torchvision's ResNet-50 without its classifier, the strides of the last two stages replaced by dilations.

    Its weights have torchvision's names, so that a state dict of torchvision's fits: `load_backbone`.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        from torchvision.models import resnet50  # takes seconds to import, which other networks need not pay

        source = resnet50(weights=None, replace_stride_with_dilation=[False, True, True])
        self.conv1, self.bn1, self.maxpool = source.conv1, source.bn1, source.maxpool
        if channels != 3:
            self.conv1 = nn.Conv2d(channels, 64, 7, 2, padding=3, bias=False)
            nn.init.kaiming_normal_(self.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.layer1, self.layer2, self.layer3, self.layer4 = source.layer1, source.layer2, source.layer3, source.layer4

    def forward(self, x: Tensor) -> list[Tensor]:
        """The stem before its max-pool, then layer1 to layer4: 64, 256, 512, 1024 and 2048 channels, after ReLU."""
        stages = [F.relu(self.bn1(self.conv1(x)), inplace=True)]
        x = self.maxpool(stages[0])
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            stages.append(x)
        return stages


class InvertedResidual(nn.Module):
    """Expand by a 1×1 convolution, filter each channel, project; a shortcut where the shape stays.

    The input is padded with zeros before the expansion and the filter pads nothing, so that the border goes through the
    first batch norm and is no longer zero where the filter meets it.
    """

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, dilation: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        self.padding = dilation
        self.shortcut = stride == 1 and inputs == outputs
        expand = [*_conv_bn(inputs, hidden, 1), nn.ReLU6(inplace=True)] if expansion != 1 else []
        self.layers = nn.Sequential(
            *expand,
            nn.Conv2d(hidden, hidden, 3, stride, dilation=dilation, groups=hidden, bias=False),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(inplace=True),
            *_conv_bn(hidden, outputs, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, H / stride, W / stride], without an activation."""
        y: Tensor = self.layers(F.pad(x, (self.padding,) * 4))
        return x + y if self.shortcut else y


class MobileNetV2(nn.Module):
    """MobileNetV2 (Sandler et al. 2018) without its last convolution. All weights N(0, √(2 / fan-in))."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_conv_bn(channels, 32, 3, stride=2, padding=1), nn.ReLU6(inplace=True))
        self.stages = nn.ModuleList()
        inputs = 32
        for groups in MOBILENET:
            blocks = nn.Sequential()
            for expansion, outputs, count, stride, dilation in groups:
                for i in range(count):
                    blocks.append(InvertedResidual(inputs, outputs, expansion, stride if i == 0 else 1, dilation))
                    inputs = outputs
            self.stages.append(blocks)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, x: Tensor) -> list[Tensor]:
        """The stem after ReLU6, then the projections that end the stages: 32, 24, 32, 96 and 320 channels."""
        stages: list[Tensor] = [self.stem(x)]
        for stage in self.stages:
            stages.append(stage(stages[-1]))
        return stages


def load_backbone(network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Give a DeepLabv3 on ResNet-50 the weights of torchvision's resnet50, whose classifier is ignored.

    Raises ValueError if the network has another backbone or the weights do not fit.
    """
    backbone = getattr(network, "backbone", None)
    if not isinstance(backbone, ResNet50):
        raise ValueError("backbone weights are for deeplabv3_resnet50 alone")
    weights = {name: value for name, value in weights.items() if not name.startswith("fc.")}
    if problems := _misfits(backbone.state_dict(), weights):
        shown = "\n  ".join(problems[:5]) + (f"\n  and {len(problems) - 5} more" if len(problems) > 5 else "")
        raise ValueError(f"not a state dict of torchvision's resnet50\n  {shown}")
    backbone.load_state_dict(weights, strict=False)


def _misfits(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """What keeps ``given`` from being ``own``'s values. Files of old releases do not count batches; that is fine."""
    counters = {name for name in own if name.endswith("num_batches_tracked")}
    problems = [f"missing: {name}" for name in own if name not in given and name not in counters]
    for name, value in given.items():
        if name not in own:
            problems.append(f"unknown: {name}")
        elif value.shape != own[name].shape:
            problems.append(f"{name}: expected {list(own[name].shape)}, found {list(value.shape)}")
    return problems


def _conv_bn(inputs: int, outputs: int, size: int, stride: int = 1, padding: int = 0) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, size, stride, padding, bias=False), nn.BatchNorm2d(outputs)]


def deeplabv3_resnet50(classes: int, channels: int, dropout: float = 0.5) -> DeepLabV3:
    """DFAD's teacher: 39,636,813 parameters for 13 classes."""
    return DeepLabV3(ResNet50(channels), 2048, classes, dropout)


def deeplabv3_mobilenetv2(classes: int, channels: int, dropout: float = 0.5) -> DeepLabV3:
    """DFAD's student: 5,111,821 parameters for 13 classes."""
    return DeepLabV3(MobileNetV2(channels), 320, classes, dropout)


NETWORKS = {"deeplabv3_resnet50": deeplabv3_resnet50, "deeplabv3_mobilenetv2": deeplabv3_mobilenetv2}
