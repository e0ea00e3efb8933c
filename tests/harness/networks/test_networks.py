"""Networks against published counts, shapes counted by hand and the closed forms of their initialisation."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from harness import networks
from tests.harness.networks.test_deeplab import WIDTHS

PARAMETERS = {
    "resnet34": (21_282_122, 21_328_292),
    "resnet18": (11_173_962, 11_220_132),
    "vgg11": (9_231_114, 9_277_284),
    "wrn40_2": (2_243_546, 2_255_156),
    "wrn16_1": (175_066, 180_916),
    "wrn40_1": (563_930, 569_780),
    "wrn16_2": (691_674, 703_284),
    "resnet20": (269_722, 275_572),
    "resnet32": (464_154, 470_004),
    "resnet44": (658_586, 664_436),
    "resnet56": (853_018, 858_868),
    "resnet110": (1_727_962, 1_733_812),
}
"""For 10 and for 100 classes."""

BATCH_NORMS = {
    "resnet34": (36, 8512),
    "resnet18": (20, 4800),
    "vgg11": (8, 2752),
    "wrn40_2": (37, 2704),
    "wrn16_1": (13, 464),
    "wrn40_1": (37, 1360),
    "wrn16_2": (13, 912),
    "resnet20": (19, 688),
    "resnet32": (31, 1136),
    "resnet44": (43, 1584),
    "resnet56": (55, 2032),
    "resnet110": (109, 4048),
}
"""Layers, and the sum of their channels."""

CIFAR_RESNETS = ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110")
STAGES = {
    "resnet18": [(64, 32), (64, 32), (128, 16), (256, 8), (512, 4)],
    "resnet34": [(64, 32), (64, 32), (128, 16), (256, 8), (512, 4)],
    "vgg11": [(64, 32), (128, 16), (256, 8), (512, 4), (512, 4)],
    "wrn10_1": [(16, 32), (16, 32), (32, 16), (64, 8)],
    "wrn16_1": [(16, 32), (16, 32), (32, 16), (64, 8)],
    "wrn16_2": [(16, 32), (32, 32), (64, 16), (128, 8)],
    "wrn40_1": [(16, 32), (16, 32), (32, 16), (64, 8)],
    "wrn40_2": [(16, 32), (32, 32), (64, 16), (128, 8)],
    "cnn3_16": [(16, 32), (32, 16), (64, 8)],
    **{name: [(16, 32), (16, 32), (32, 16), (64, 8)] for name in CIFAR_RESNETS},
}
"""Channels and height of each stage for images of height 32."""


def of_type(network: nn.Module, kind: type[nn.Module]) -> list:
    return [module for module in network.modules() if isinstance(module, kind)]


def kernels(network: nn.Module, size: int) -> list[nn.Conv2d]:
    return [conv for conv in of_type(network, nn.Conv2d) if conv.kernel_size == (size, size)]


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters(name: str) -> None:
    counts = [sum(p.numel() for p in networks.build(name, classes).parameters()) for classes in (10, 100)]
    assert tuple(counts) == PARAMETERS[name]


@pytest.mark.parametrize("name", BATCH_NORMS)
def test_batch_norms(name: str) -> None:
    layers = of_type(networks.build(name, 10), nn.BatchNorm2d)
    assert (len(layers), sum(layer.num_features for layer in layers)) == BATCH_NORMS[name]


@pytest.mark.parametrize(("name", "elements"), [("resnet34", 1_024_000), ("vgg11", 163_840), ("wrn40_2", 704_512)])
def test_elements_that_enter_batch_norms(name: str, elements: int) -> None:
    network, seen = networks.build(name, 10).eval(), []
    for layer in of_type(network, nn.BatchNorm2d):
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].numel()))
    network(torch.zeros(1, 3, 32, 32))
    assert sum(seen) == elements


def test_what_is_tested_here_is_there() -> None:
    assert {*STAGES, *WIDTHS} <= set(networks.names())


@pytest.mark.parametrize("name", networks.names())
@torch.no_grad()
def test_every_network_has_the_interface(name: str) -> None:
    """A new one too, of which nothing else is known here."""
    network, x = networks.build(name, 7).eval(), torch.randn(2, 3, 32, 32)
    logits, features, stages, *_ = network(x, return_features=True)
    assert logits.shape in ((2, 7), (2, 7, 32, 32))
    assert (len(features), features.ndim) == (2, logits.ndim)
    assert isinstance(stages, tuple)
    assert [(len(stage), stage.ndim) for stage in stages] == [(2, 4)] * len(stages) != []
    assert torch.equal(network(x), logits)
    assert not torch.equal(logits[0], logits[1])


@pytest.mark.parametrize("name", networks.names())
def test_every_network_is_known_in_detail(name: str) -> None:
    if name not in {*STAGES, *WIDTHS}:
        pytest.skip(f"nothing is known of {name}: add its channels to STAGES (dense networks: to WIDTHS)")


@pytest.mark.parametrize("name", STAGES)
@torch.no_grad()
def test_outputs(name: str) -> None:
    network, x = networks.build(name, 7).eval(), torch.randn(2, 3, 32, 32)
    logits, features, stages, *_ = network(x, return_features=True)
    assert logits.shape == (2, 7)
    assert features.shape == (2, STAGES[name][-1][0])
    assert [tuple(stage.shape) for stage in stages] == [(2, c, size, size) for c, size in STAGES[name]]
    assert torch.equal(network(x), logits)
    assert torch.equal(network.linear(features), logits)


@pytest.mark.parametrize("name", STAGES)
def test_small_images_of_one_channel(name: str) -> None:
    network = networks.build(name, 10, channels=1)
    network(torch.randn(2, 1, 8, 8)).sum().backward()
    assert all(p.grad is not None for p in network.parameters())


@pytest.mark.parametrize("name", ["resnet34", "vgg11", "cnn3_16", "resnet32"])
@torch.no_grad()
def test_features_are_the_mean_of_the_last_stage_after_relu(name: str) -> None:
    _, features, stages = networks.build(name, 10).eval()(torch.randn(2, 3, 32, 32), return_features=True)
    assert all((stage >= 0).all() for stage in stages)
    assert torch.allclose(features, stages[-1].mean(dim=(2, 3)), atol=1e-6)


@torch.no_grad()
def test_stages_of_wide_networks_are_raw() -> None:
    network, x = networks.build("wrn16_2", 10).eval(), torch.randn(2, 3, 32, 32)
    _, features, stages, active = network(x, return_features=True)
    assert torch.equal(stages[0], F.conv2d(x, network.conv1.weight, padding=1))
    assert all((stage < 0).any() for stage in stages)
    assert torch.allclose(active, normalised(network.bn, stages[-1]).relu(), atol=1e-6)
    assert torch.allclose(features, active.mean(dim=(2, 3)), atol=1e-6)


def normalised(layer: nn.BatchNorm2d, x: torch.Tensor) -> torch.Tensor:
    """Batch normalisation in evaluation mode, written out."""
    mean, var, weight, bias = (
        v[:, None, None] for v in (layer.running_mean, layer.running_var, layer.weight, layer.bias)
    )
    return (x - mean) / (var + 1e-5).sqrt() * weight + bias


@pytest.fixture
def block_input() -> torch.Tensor:
    return torch.randn(2, 64, 8, 8, generator=torch.Generator().manual_seed(0))


def first_block(name: str, group: int) -> nn.Module:
    """The first block of a group in evaluation mode, with statistics that are not the initial ones."""
    block: nn.Module = networks.build(name, 10).eval().groups[group][0]  # type: ignore[index,union-attr]
    for layer in of_type(block, nn.BatchNorm2d):
        layer.running_mean.fill_(0.3)
        layer.running_var.fill_(2.0)
    return block


@torch.no_grad()
def test_shortcut_of_wide_block_acts_on_the_activated_input(block_input: torch.Tensor) -> None:
    block, x = first_block("wrn16_2", 2), block_input
    block.conv2.weight.zero_()
    expected = F.conv2d(normalised(block.bn1, x).relu(), block.shortcut.weight, stride=2)
    assert block.shortcut.weight.shape == (128, 64, 1, 1)
    assert torch.allclose(block(x), expected, atol=1e-5)


@torch.no_grad()
def test_wide_networks_of_width_1_start_with_an_identity(block_input: torch.Tensor) -> None:
    block, x = first_block("wrn16_1", 0), block_input[:, :16]
    block.conv2.weight.zero_()
    assert torch.equal(block(x), x)
    shortcuts = [len(kernels(networks.build(name, 10), 1)) for name in ("wrn16_1", "wrn40_1", "wrn16_2", "wrn40_2")]
    assert shortcuts == [2, 2, 3, 3]


@torch.no_grad()
def test_shortcut_of_residual_block_is_convolved_and_normalised(block_input: torch.Tensor) -> None:
    block, x = first_block("resnet18", 1), block_input
    block.bn2.weight.zero_()
    conv, norm = block.shortcut
    assert conv.weight.shape == (128, 64, 1, 1)
    assert torch.allclose(block(x), normalised(norm, F.conv2d(x, conv.weight, stride=2)).relu(), atol=1e-5)


@torch.no_grad()
def test_first_group_of_residual_networks_has_identities(block_input: torch.Tensor) -> None:
    block, x = first_block("resnet18", 0), block_input
    block.bn2.weight.zero_()
    assert torch.equal(block(x), x.relu())
    assert [len(kernels(networks.build(name, 10), 1)) for name in ("resnet18", "resnet34")] == [3, 3]


@pytest.mark.parametrize(("group", "stride"), [(0, 1), (1, 2), (2, 2)])
@torch.no_grad()
def test_shortcut_of_cifar_residual_block_has_no_parameters(group: int, stride: int) -> None:
    """Type A of He et al.: every other pixel, and zeros in the channels that are new, half of them on each side."""
    block, inputs, outputs = first_block("resnet20", group), (16, 16, 32)[group], (16, 32, 64)[group]
    x = torch.randn(2, inputs, 9, 8, generator=torch.Generator().manual_seed(0))
    block.bn2.weight.zero_()
    expected = torch.zeros(2, outputs, -(-9 // stride), 8 // stride)
    first = (outputs - inputs) // 2
    for channel in range(inputs):
        expected[:, first + channel] = x[:, channel, ::stride, ::stride].relu()
    assert torch.equal(block(x), expected)


@pytest.mark.parametrize("name", CIFAR_RESNETS)
def test_depth_of_cifar_residual_networks(name: str) -> None:
    """Their number is that of layers with weights, since no shortcut has any."""
    network = networks.build(name, 10)
    assert len(of_type(network, nn.Conv2d)) + len(of_type(network, nn.Linear)) == int(name.removeprefix("resnet"))


def test_cifar_residual_networks_start_as_he_2015() -> None:
    torch.manual_seed(0)
    for conv in of_type(networks.build("resnet56", 10), nn.Conv2d):
        assert_spread(conv.weight, math.sqrt(2 / (9 * conv.in_channels)))


@pytest.mark.parametrize(("height", "expected"), [(32, [32, 16, 8, 4, 4]), (64, [64, 32, 16, 8, 4])])
@torch.no_grad()
def test_pools_of_vgg(height: int, expected: list[int]) -> None:
    network = networks.build("vgg11", 10).eval()
    _, _, stages, *_ = network(torch.randn(1, 3, height, height), return_features=True)
    assert [stage.shape[2] for stage in stages] == expected
    assert torch.equal(network.groups[1](F.max_pool2d(stages[0], 2)), stages[1])


@pytest.mark.parametrize(("name", "biased"), [("resnet34", False), ("vgg11", True), ("wrn40_2", False)])
def test_bias_of_convolutions(name: str, biased: bool) -> None:
    assert {conv.bias is not None for conv in of_type(networks.build(name, 10), nn.Conv2d)} == {biased}


def assert_spread(weight: torch.Tensor, std: float) -> None:
    """Mean 0 and the given std, both within five standard errors."""
    assert weight.std().item() == pytest.approx(std, rel=5 / math.sqrt(2 * weight.numel()))
    assert abs(weight.mean().item()) < 5 * std / math.sqrt(weight.numel())


@pytest.mark.parametrize("name", ["wrn16_1", "wrn40_2", "vgg11"])
def test_convolutions_start_from_their_outputs(name: str) -> None:
    torch.manual_seed(0)
    network = networks.build(name, 100)
    for conv in of_type(network, nn.Conv2d):
        assert_spread(conv.weight, math.sqrt(2 / (conv.kernel_size[0] ** 2 * conv.out_channels)))
        assert conv.bias is None or not conv.bias.any()
    assert not network.linear.bias.any()


def test_residual_networks_start_from_their_inputs() -> None:
    """PyTorch's default: uniform within 1 / √fan-in, for biases too."""
    torch.manual_seed(0)
    network = networks.build("resnet18", 100)
    for conv in of_type(network, nn.Conv2d):
        bound = 1 / math.sqrt(conv.kernel_size[0] ** 2 * conv.in_channels)
        assert_spread(conv.weight, bound / math.sqrt(3))
        assert conv.weight.abs().max() <= bound * (1 + 1e-6)
    assert_spread(network.linear.bias, 1 / math.sqrt(3 * 512))


@pytest.mark.parametrize(("name", "std"), [("vgg11", 0.01), ("wrn40_2", 1 / math.sqrt(3 * 128))])
def test_linear_layers_start(name: str, std: float) -> None:
    torch.manual_seed(0)
    assert_spread(networks.build(name, 100).linear.weight, std)


@pytest.mark.parametrize("name", PARAMETERS)
def test_batch_norms_start_as_identities(name: str) -> None:
    for layer in of_type(networks.build(name, 10), nn.BatchNorm2d):
        assert torch.equal(layer.weight, torch.ones_like(layer.weight))
        assert not layer.bias.any()
