"""Networks as public repositories define them, in our words: what they compute, and how they name their tensors.

Sources: kuangliu/pytorch-cifar models/resnet.py and vgg.py, zju-vipa/CMI datafree/models/classifiers/resnet.py,
weiaicunzai/pytorch-cifar100 models/resnet.py and vgg.py, akamaster/pytorch_resnet_cifar10 resnet.py,
xternalz/WideResNet-pytorch wideresnet.py, polo5/ZeroShotKnowledgeTransfer models/wresnet.py, HobbitLong/RepDistiller
models/wrn.py, vgg.py and resnet.py, chenyaofo/pytorch-cifar-models, huyvnphan/PyTorch_CIFAR10 cifar10_models/resnet.py,
VainF/Data-Free-Adversarial-Distillation network/segmentation, and torchvision itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=bias)


def projection(inputs: int, outputs: int, stride: int) -> nn.Sequential:
    return nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))


class Basic(nn.Module):
    """Of kuangliu, and of all that descend from it; ``shortcut`` is what torchvision calls ``downsample``."""

    def __init__(self, inputs: int, outputs: int, stride: int, name: str, kind: str) -> None:
        super().__init__()
        self.conv1, self.bn1 = conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs), nn.BatchNorm2d(outputs)
        self.name, self.stride, self.extra = name, stride, (outputs - inputs) // 2
        if kind == "B" and (stride != 1 or inputs != outputs):
            setattr(self, name, projection(inputs, outputs, stride))

    def forward(self, x: Tensor) -> Tensor:
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        if hasattr(self, self.name):
            return torch.relu(y + getattr(self, self.name)(x))
        pad = (0, 0, 0, 0, self.extra, self.extra)
        return torch.relu(y + F.pad(x[:, :, :: self.stride, :: self.stride], pad))


class Weiaicunzai(nn.Module):
    """A block whose convolutions lie in one Sequential."""

    def __init__(self, inputs: int, outputs: int, stride: int, *_: object) -> None:
        super().__init__()
        first = (conv(inputs, outputs, 3, stride), nn.BatchNorm2d(outputs), nn.ReLU())
        self.residual_function = nn.Sequential(*first, conv(outputs, outputs), nn.BatchNorm2d(outputs))
        self.shortcut = projection(inputs, outputs, stride) if inputs != outputs else nn.Sequential()

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(self.residual_function(x) + self.shortcut(x))


class ResNet(nn.Module):
    """Stem, groups of blocks, pool, classifier, under the names given."""

    def __init__(
        self,
        blocks: Sequence[int],
        classes: int,
        channels: int,
        *,
        widths: Sequence[int] = (64, 128, 256, 512),
        block: Callable[..., nn.Module] = Basic,
        shortcut: str = "shortcut",
        kind: str = "B",
        groups: str = "layer{}",
        first: int = 1,
        head: str = "linear",
        pool: bool = False,
    ) -> None:
        super().__init__()
        if block is Weiaicunzai:
            self.conv1: nn.Module = nn.Sequential(conv(channels, widths[0]), nn.BatchNorm2d(widths[0]))
        else:
            self.conv1, self.bn1 = conv(channels, widths[0]), nn.BatchNorm2d(widths[0])
        self.pool, self.head, self.names = pool, head, [groups.format(first + g) for g in range(len(widths))]
        inputs = widths[0]
        for g, (name, width) in enumerate(zip(self.names, widths, strict=True)):
            strides = [1 if g == 0 else 2] + [1] * (blocks[g] - 1)
            group = [block(inputs if i == 0 else width, width, s, shortcut, kind) for i, s in enumerate(strides)]
            setattr(self, name, nn.Sequential(*group))
            inputs = width
        setattr(self, head, nn.Linear(inputs, classes))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv1(x)
        x = torch.relu(self.bn1(x) if hasattr(self, "bn1") else x)
        x = F.max_pool2d(x, 3, 2, 1) if self.pool else x
        for name in self.names:
            x = getattr(self, name)(x)
        return getattr(self, self.head)(F.adaptive_avg_pool2d(x, 1).flatten(1))


def torchvision_resnet(blocks: Sequence[int], classes: int, channels: int) -> nn.Module:
    """torchvision's own, its stem made small and its max-pool taken out, as people do for CIFAR."""
    from torchvision.models.resnet import BasicBlock
    from torchvision.models.resnet import ResNet as Original

    network = Original(BasicBlock, list(blocks), num_classes=classes)
    network.conv1, network.maxpool = conv(channels, 64), nn.Identity()
    return network


class Wide(nn.Module):
    """xternalz's block, with the activation before both branches only where the width changes."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(inputs), conv(inputs, outputs, 3, stride)
        self.bn2, self.conv2 = nn.BatchNorm2d(outputs), conv(outputs, outputs)
        self.equal = inputs == outputs
        self.convShortcut = None if self.equal else conv(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        active = torch.relu(self.bn1(x))
        x = x if self.equal else active
        y = self.conv2(F.dropout(torch.relu(self.bn2(self.conv1(active))), 0.3, self.training))
        return torch.add(x if self.convShortcut is None else self.convShortcut(x), y)


class WideGroup(nn.Module):
    """What gives the keys their ``layer``."""

    def __init__(self, blocks: int, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        rest = [Wide(outputs, outputs, 1) for _ in range(blocks - 1)]
        self.layer = nn.Sequential(Wide(inputs, outputs, stride), *rest)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)


class WideResNet(nn.Module):
    """xternalz's, whose names ZSKT, CMI, RepDistiller and outlier-exposure kept."""

    def __init__(self, depth: int, width: int, classes: int, channels: int) -> None:
        super().__init__()
        blocks = (depth - 4) // 6
        self.conv1 = conv(channels, 16)
        self.block1 = WideGroup(blocks, 16, 16 * width, 1)
        self.block2 = WideGroup(blocks, 16 * width, 32 * width, 2)
        self.block3 = WideGroup(blocks, 32 * width, 64 * width, 2)
        self.bn1, self.fc = nn.BatchNorm2d(64 * width), nn.Linear(64 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.bn1(self.block3(self.block2(self.block1(self.conv1(x))))))
        return self.fc(F.avg_pool2d(x, 8).flatten(1))


VGG11 = ((64,), (128,), (256, 256), (512, 512), (512, 512))


def vgg_layers(widths: Sequence[int], inputs: int) -> list[nn.Module]:
    pairs = zip((inputs, *widths), widths, strict=False)
    return [layer for a, b in pairs for layer in (conv(a, b, bias=True), nn.BatchNorm2d(b), nn.ReLU())]


class RepDistillerVGG(nn.Module):
    """Blocks without their last activation, which follows before each of three pools, or four for images of 64."""

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        inputs = (channels, *(group[-1] for group in VGG11))
        for g, group in enumerate(VGG11):
            setattr(self, f"block{g}", nn.Sequential(*vgg_layers(group, inputs[g])[:-1]))
        self.classifier = nn.Linear(512, classes)

    def forward(self, x: Tensor) -> Tensor:
        large = x.shape[2] == 64
        for g in range(5):
            x = torch.relu(getattr(self, f"block{g}")(x))
            if g < 3 or (g == 3 and large):
                x = F.max_pool2d(x, 2)
        return self.classifier(F.adaptive_avg_pool2d(x, 1).flatten(1))


class KuangliuVGG(nn.Module):
    """One Sequential with five pools; ``hidden`` are the linear layers that chenyaofo and weiaicunzai add."""

    def __init__(self, classes: int, channels: int, hidden: Sequence[int] = ()) -> None:
        super().__init__()
        inputs = (channels, *(group[-1] for group in VGG11))
        layers = [[*vgg_layers(group, inputs[g]), nn.MaxPool2d(2)] for g, group in enumerate(VGG11)]
        self.features = nn.Sequential(*(layer for group in layers for layer in group))
        widths = (512, *hidden, classes)
        linear = [nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths)]
        self.classifier = nn.Sequential(*(layer for pair in linear for layer in pair)) if hidden else linear[0][0]

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.features(x).flatten(1))


def aspp(inputs: int, dilations: Sequence[int]) -> nn.Module:
    """torchvision's pyramid, which DFAD copied, with the dilations given."""
    from torchvision.models.segmentation.deeplabv3 import ASPP

    return ASPP(inputs, list(dilations))


class DeepLab(nn.Module):
    """Backbone and classifier as in DFAD: torchvision's names, other dilations."""

    def __init__(self, backbone: nn.Module, inputs: int, classes: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.backbone = backbone
        rest = (conv(256, 256), nn.BatchNorm2d(256), nn.ReLU(), nn.Conv2d(256, classes, 1))
        self.classifier = nn.Sequential(aspp(inputs, dilations), *rest)

    def forward(self, x: Tensor) -> Tensor:
        y = self.backbone(x)
        y = self.classifier(y["out"] if isinstance(y, dict) else y)
        return F.interpolate(y, size=x.shape[-2:], mode="bilinear", align_corners=False)


class Inverted(nn.Module):
    """DFAD's inverted residual block, which pads before it expands."""

    def __init__(self, inputs: int, outputs: int, expand: int, stride: int, dilation: int) -> None:
        super().__init__()
        hidden, self.dilation, self.same = inputs * expand, dilation, stride == 1 and inputs == outputs
        wide = [conv(inputs, hidden, 1), nn.BatchNorm2d(hidden), nn.ReLU6()] if expand > 1 else []
        depthwise = nn.Conv2d(hidden, hidden, 3, stride, 0, dilation, groups=hidden, bias=False)
        narrow = (nn.BatchNorm2d(hidden), nn.ReLU6(), conv(hidden, outputs, 1), nn.BatchNorm2d(outputs))
        self.conv = nn.Sequential(*wide, depthwise, *narrow)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(F.pad(x, [self.dilation] * 4))
        return x + y if self.same else y


class MobileNet(nn.Module):
    """The list ``features`` of DFAD's MobileNetV2 at an output stride of 8, as its getter keeps it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Sequential(conv(channels, 32, 3, 2), nn.BatchNorm2d(32), nn.ReLU6())]
        inputs, reached, rate = 32, 2, 1
        for expand, width, count, step in (
            *((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2)),
            *((6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)),
        ):
            stride, dilation = (1, rate) if reached == 8 else (step, 1)
            rate, reached = (rate * step, reached) if reached == 8 else (rate, reached * step)
            for i in range(count):
                layers.append(Inverted(inputs, width, expand, stride if i == 0 else 1, dilation))
                inputs = width
        self.features = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)


def deeplab_resnet50(classes: int, dilations: Sequence[int]) -> nn.Module:
    """DFAD's teacher: torchvision's ResNet-50 without its classifier."""
    from torchvision.models import resnet50
    from torchvision.models._utils import IntermediateLayerGetter

    backbone = resnet50(weights=None, replace_stride_with_dilation=[False, True, True])
    return DeepLab(IntermediateLayerGetter(backbone, {"layer4": "out"}), 2048, classes, dilations)


def trained(build: Callable[[], nn.Module]) -> nn.Module:
    """What ``build`` makes, with weights, means and variances like those of training, in float64, ready to be asked."""
    with torch.device("meta"):  # its own first weights would take longer than all else
        network = build().double()
    network.to_empty(device="cpu")
    generator = torch.Generator().manual_seed(0)
    for name, value in network.state_dict().items():
        if not value.is_floating_point():
            value.zero_()
            continue
        value.normal_(generator=generator)
        if value.dim() > 1:
            value.mul_((2 / value[0].numel()) ** 0.5)
        elif name.endswith(("running_mean", "bias")):
            value.mul_(0.3)
        else:
            value.tanh_().mul_(0.3).add_(1)
    return network.eval()


BLOCKS = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}
DEPTHS = (20, 32, 44, 56, 110)
TORCHVISION: dict[str, Any] = {"shortcut": "downsample", "head": "fc"}
WEIAICUNZAI: dict[str, Any] = {"block": Weiaicunzai, "groups": "conv{}_x", "first": 2, "head": "fc"}
WIDE = {"wrn10_1": (10, 1), "wrn16_1": (16, 1), "wrn16_2": (16, 2), "wrn40_1": (40, 1), "wrn40_2": (40, 2)}
THIN: dict[str, Any] = {"widths": (16, 32, 64)}


def thin(depth: int, classes: int, kind: str, **names: Any) -> nn.Module:
    """A CIFAR ResNet with shortcuts of a kind."""
    return ResNet([(depth - 2) // 6] * 3, classes, 3, kind=kind, **THIN, **names)


FITTING: dict[tuple[str, str], Callable[[int], nn.Module]] = {
    **{(name, "kuangliu"): lambda n, b=b: ResNet(b, n, 3) for name, b in BLOCKS.items()},
    **{(name, "torchvision"): lambda n, b=b: torchvision_resnet(b, n, 3) for name, b in BLOCKS.items()},
    **{(name, "weiaicunzai"): lambda n, b=b: ResNet(b, n, 3, **WEIAICUNZAI) for name, b in BLOCKS.items()},
    **{(f"resnet{d}", "akamaster"): lambda n, d=d: thin(d, n, "A") for d in DEPTHS},
    **{(name, "xternalz"): lambda n, size=size: WideResNet(*size, n, 3) for name, size in WIDE.items()},
    ("vgg11", "RepDistiller"): lambda n: RepDistillerVGG(n, 3),
    ("deeplabv3_resnet50", "DFAD"): lambda n: deeplab_resnet50(n, (12, 24, 32)),
    ("deeplabv3_mobilenetv2", "DFAD"): lambda n: DeepLab(MobileNet(3), 320, n, (12, 24, 32)),
}
"""(network of ours, layout) -> the repository's network of n classes."""
