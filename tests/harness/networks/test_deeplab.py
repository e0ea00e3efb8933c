"""DeepLabv3 against published counts, and against the places where copies of DFAD's code differ from it."""

from __future__ import annotations

import functools
import importlib.util
import math
import sys

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from harness import networks
from harness.networks.deeplab import (
    DeepLabV3,
    DilatedConv2d,
    InvertedResidual,
    MobileNetV2,
    deeplabv3_mobilenetv2,
    load_backbone,
)

PARAMETERS = {"deeplabv3_resnet50": 39_636_813, "deeplabv3_mobilenetv2": 5_111_821}
"""For 13 classes."""

BATCH_NORMS = {"deeplabv3_resnet50": (60, 28_352), "deeplabv3_mobilenetv2": (58, 17_568)}
"""Layers, and the sum of their channels."""

GMAC = {"deeplabv3_resnet50": 10.22, "deeplabv3_mobilenetv2": 1.43}
"""Billions of multiply-adds for one image of 128 × 128, with all taps of the pyramid."""

GMAC_LEFT_OUT = {"deeplabv3_resnet50": 2.15, "deeplabv3_mobilenetv2": 0.34}
"""Of these, those that dilations 24 and 32 spend on padding, as the map has 16 × 16 pixels."""

WIDTHS = {"deeplabv3_resnet50": [64, 256, 512, 1024, 2048], "deeplabv3_mobilenetv2": [32, 24, 32, 96, 320]}
"""Channels of the stages."""

SIZES = {
    (128, 128): [(64, 64), (32, 32), (16, 16), (16, 16), (16, 16)],
    (256, 341): [(128, 171), (64, 86), (32, 43), (32, 43), (32, 43)],
}
"""Height and width of the stages, by those of the image."""


@functools.cache
def built(name: str) -> DeepLabV3:
    torch.manual_seed(0)
    network = networks.build(name, 13).eval()
    assert isinstance(network, DeepLabV3)
    return network


@functools.cache
def outlined(name: str) -> nn.Module:
    """The network without values: shapes and operations are known at no cost."""
    with torch.device("meta"):
        return networks.build(name, 13).eval()


def mobilenet() -> MobileNetV2:
    backbone = built("deeplabv3_mobilenetv2").backbone
    assert isinstance(backbone, MobileNetV2)
    return backbone


def of_type(network: nn.Module, kind: type[nn.Module]) -> list:
    return [module for module in network.modules() if isinstance(module, kind)]


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    assert sum(p.numel() for p in outlined(name).parameters()) == PARAMETERS[name]


@pytest.mark.parametrize("name", BATCH_NORMS)
def test_batch_norms(name: str) -> None:
    layers = of_type(outlined(name), nn.BatchNorm2d)
    assert (len(layers), sum(layer.num_features for layer in layers)) == BATCH_NORMS[name]


@torch.no_grad()
def gmac(name: str) -> float:
    with FlopCounterMode(display=False) as counter:
        outlined(name)(torch.zeros(1, 3, 128, 128, device="meta"))
    return counter.get_total_flops() / 2e9


@pytest.mark.parametrize("name", GMAC)
def test_operations(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert gmac(name) == pytest.approx(GMAC[name] - GMAC_LEFT_OUT[name], rel=0.01)
    monkeypatch.setattr(DilatedConv2d, "forward", nn.Conv2d.forward)
    assert gmac(name) == pytest.approx(GMAC[name], rel=0.01)


@pytest.mark.parametrize("shape", [(16, 16), (24, 24), (8, 30), (25, 4)], ids=str)
@pytest.mark.parametrize("dilation", [12, 24])
def test_taps_are_left_out_where_they_meet_padding_alone(dilation: int, shape: tuple[int, int]) -> None:
    conv = DilatedConv2d(3, 4, 3, padding=dilation, dilation=dilation, bias=False).double()
    x = torch.randn(2, 3, *shape, dtype=torch.double, requires_grad=True)
    found, expected = conv(x), nn.Conv2d.forward(conv, x)
    assert torch.allclose(found, expected)
    upstream, sources = torch.randn_like(expected), (x, conv.weight)
    for mine, theirs in zip(
        torch.autograd.grad(found, sources, upstream), torch.autograd.grad(expected, sources, upstream), strict=True
    ):
        assert torch.allclose(mine, theirs)


@pytest.mark.parametrize("name", WIDTHS)
@pytest.mark.parametrize("size", SIZES)
@torch.no_grad()
def test_outputs(name: str, size: tuple[int, int]) -> None:
    logits, features, stages = outlined(name)(torch.zeros(1, 3, *size, device="meta"), return_features=True)
    assert logits.shape == (1, 13, *size)
    assert features is stages[-1]
    shapes = [(1, c, *s) for c, s in zip(WIDTHS[name], SIZES[size], strict=True)]
    assert [tuple(stage.shape) for stage in stages] == shapes


@torch.no_grad()
def test_logits_are_upsampled_without_aligned_corners() -> None:
    network, x = built("deeplabv3_mobilenetv2"), torch.randn(1, 3, 40, 56)
    logits, features, _ = network(x, return_features=True)
    expected = F.interpolate(network.head(features), (40, 56), mode="bilinear", align_corners=False)
    assert torch.equal(logits, expected)
    assert torch.equal(network(x), logits)


@pytest.mark.parametrize("name", WIDTHS)
def test_one_channel_and_every_gradient(name: str) -> None:
    network = networks.build(name, 4, channels=1)
    network(torch.randn(2, 1, 16, 16)).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


def dilated(network: nn.Module) -> list[tuple[int, int, int]]:
    """Input channels, dilation and padding of every 3×3 convolution with a dilation, in order."""
    convolutions = [conv for conv in of_type(network, nn.Conv2d) if conv.dilation != (1, 1)]
    assert all(conv.kernel_size == (3, 3) for conv in convolutions)
    return [(conv.in_channels, conv.dilation[0], conv.padding[0]) for conv in convolutions]


@pytest.mark.parametrize("name", WIDTHS)
def test_pyramid(name: str) -> None:
    """12, 24 and 32, where the paper and later copies have 36."""
    width = WIDTHS[name][-1]
    assert dilated(built(name).head) == [(width, d, d) for d in (12, 24, 32)]


def test_dilations_of_resnet() -> None:
    """The first block of a stage keeps the dilation of the stage before."""
    expected = [(256, 2, 2)] * 5 + [(512, 2, 2)] + [(512, 4, 4)] * 2
    assert dilated(built("deeplabv3_resnet50").backbone) == expected


def test_dilations_and_strides_of_mobilenet() -> None:
    """1 for the 64 channels and 2 for the 160; later copies have 1, 2, 2, 2 and 2, 4, 4."""
    blocks = of_type(mobilenet(), InvertedResidual)
    filters = [next(conv for conv in of_type(block, nn.Conv2d) if conv.groups > 1) for block in blocks]
    outputs = [of_type(block, nn.Conv2d)[-1].out_channels for block in blocks]
    assert outputs == [16] + [24] * 2 + [32] * 3 + [64] * 4 + [96] * 3 + [160] * 3 + [320]
    assert [conv.dilation[0] for conv in filters] == [1] * 10 + [2] * 6 + [4]
    assert [conv.stride[0] for conv in filters] == [1, 2, 1, 2] + [1] * 13
    assert {conv.padding for conv in filters} == {(0, 0)}
    assert [block.shortcut for block in blocks] == [c == o for c, o in zip([32, *outputs], outputs, strict=False)]


@torch.no_grad()
def test_stem_of_mobilenet_pads_one_pixel() -> None:
    """Later copies pad none there."""
    stem, x = mobilenet().stem, torch.randn(1, 3, 9, 9)
    expected = F.conv2d(x, stem[0].weight, stride=2, padding=1) / math.sqrt(1 + 1e-5)
    assert torch.allclose(stem(x), expected.clamp(0, 6), atol=1e-5)


@torch.no_grad()
def test_border_goes_through_the_first_batch_norm() -> None:
    """Zeros around the input of a block become bias - mean, not zeros, around the input of its 3×3 convolution."""
    block, x = InvertedResidual(8, 8, 6, stride=1, dilation=4).eval(), torch.randn(2, 8, 16, 16)
    expand, norm, _, depthwise, *_ = block.layers
    norm.bias.fill_(1.5)
    seen: list[torch.Tensor] = []
    depthwise.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    y = block(x)
    assert seen[0].shape == (2, 48, 24, 24)
    assert torch.allclose(seen[0][:, :, :4], torch.tensor(1.5))
    inside = (F.conv2d(x, expand.weight) / math.sqrt(1 + 1e-5) + 1.5).clamp(0, 6)
    assert torch.allclose(seen[0][:, :, 4:-4, 4:-4], inside, atol=1e-5)
    block.layers[-1].weight.zero_()
    assert y.shape == x.shape
    assert torch.equal(block(x), x)


@pytest.mark.parametrize(("shift", "reached"), [(0, True), (12, True), (24, True), (32, True), (36, False), (6, False)])
@torch.no_grad()
def test_reach_of_the_pyramid(shift: int, reached: bool) -> None:
    """One pixel of the features moves what lies exactly a dilation away; the image's mean is left out."""
    head = built("deeplabv3_mobilenetv2").head
    changes = torch.zeros(1, 320, 1, 45)
    changes[..., 0] = 1
    difference = head[0](changes) - head[0](torch.zeros_like(changes))
    assert bool(difference[0, :1024, 0, shift].any()) is reached


@pytest.mark.parametrize("name", WIDTHS)
def test_dropout(name: str) -> None:
    assert [layer.p for layer in of_type(built(name), nn.Dropout)] == [0.5]


def test_dropout_can_be_set() -> None:
    network = deeplabv3_mobilenetv2(13, 3, dropout=0.1)
    assert [layer.p for layer in of_type(network, nn.Dropout)] == [0.1]


def assert_spread(weight: torch.Tensor, std: float) -> None:
    """The given standard deviation within five standard errors."""
    assert weight.std().item() == pytest.approx(std, rel=5 / math.sqrt(2 * weight.numel()))


@pytest.mark.parametrize("name", WIDTHS)
def test_head_starts_at_the_default_of_pytorch(name: str) -> None:
    for conv in of_type(built(name).head, nn.Conv2d):
        assert_spread(conv.weight, 1 / math.sqrt(3 * conv.weight[0].numel()))


def test_mobilenet_starts_from_its_inputs() -> None:
    for conv in of_type(mobilenet(), nn.Conv2d):
        assert_spread(conv.weight, math.sqrt(2 / conv.weight[0].numel()))


def test_torchvision_is_imported_when_a_resnet_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("torchvision", "torchvision.models"):
        monkeypatch.setitem(sys.modules, module, None)
    spec = importlib.util.spec_from_file_location("fresh", networks.source("deeplabv3_resnet50"))
    assert spec is not None and spec.loader is not None
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    fresh.NETWORKS["deeplabv3_mobilenetv2"](13, 3)
    with pytest.raises(ImportError, match="torchvision"):
        fresh.NETWORKS["deeplabv3_resnet50"](13, 3)


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    """What torchvision saves: the classifier's weights are part of it."""
    from torchvision.models import resnet50

    return resnet50(weights=None).state_dict()


@pytest.fixture
def network() -> DeepLabV3:
    return built("deeplabv3_resnet50")


def test_backbone_is_loaded(weights: dict[str, torch.Tensor], network: DeepLabV3) -> None:
    changed = weights | {"layer4.2.conv3.weight": torch.randn_like(weights["layer4.2.conv3.weight"])}
    head = network.head[-1].weight.clone()
    load_backbone(network, changed)
    loaded = network.backbone.state_dict()
    assert set(changed) - set(loaded) == {"fc.weight", "fc.bias"}
    assert all(torch.equal(value, changed[name]) for name, value in loaded.items())
    assert torch.equal(network.head[-1].weight, head)


def test_backbone_of_an_old_release_is_loaded(weights: dict[str, torch.Tensor], network: DeepLabV3) -> None:
    load_backbone(network, {k: v for k, v in weights.items() if not k.endswith("num_batches_tracked")})
    assert torch.equal(network.backbone.state_dict()["conv1.weight"], weights["conv1.weight"])


BAD = {
    "missing: layer1.0.conv1.weight": lambda w: {k: v for k, v in w.items() if k != "layer1.0.conv1.weight"},
    "unknown: module.conv1.weight": lambda w: w | {"module.conv1.weight": w["conv1.weight"]},
    r"conv1.weight: expected \[64, 3, 7, 7\], found \[1\]": lambda w: w | {"conv1.weight": torch.zeros(1)},
    "and [0-9]+ more": lambda w: {f"module.{k}": v for k, v in w.items()},
}
"""What the error says, and what was made of the state dict."""


@pytest.mark.parametrize("message", BAD)
def test_backbone_that_does_not_fit(weights: dict[str, torch.Tensor], network: DeepLabV3, message: str) -> None:
    before = network.backbone.state_dict()["conv1.weight"].clone()
    with pytest.raises(ValueError, match=message):
        load_backbone(network, BAD[message](weights))
    assert torch.equal(network.backbone.state_dict()["conv1.weight"], before)


def test_other_backbones_are_refused() -> None:
    with pytest.raises(ValueError, match="deeplabv3_resnet50 alone"):
        load_backbone(built("deeplabv3_mobilenetv2"), {})
