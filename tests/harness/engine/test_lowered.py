"""A network in bfloat16: the same weights, another pass, and nothing of it outside."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness.engine.lowered import lowered
from harness.engine.randomness import Streams
from harness.networks.featured import featured
from tests import small

CPU = torch.device("cpu")


def images() -> Tensor:
    return torch.randn(4, *small.DIGITS.shape, generator=torch.Generator().manual_seed(0))


def plain(name: str) -> nn.Module:
    """A network of the bench, or one that listens to itself for its features."""
    if name != "featured":
        return small.network(name, 1)
    layers = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    return featured(nn.Sequential(layers, nn.Linear(4, 10)), 10).eval()


@pytest.mark.parametrize("name", ["wrn10_1", "cnn3_16", "resnet18", "vgg11", "featured"])
def test_everything_that_comes_out_is_fp32_and_near(name: str) -> None:
    network = plain(name)
    low = lowered(network, CPU)
    found, expected = (made(images(), return_features=True) for made in (low, network))
    for mine, theirs in zip([*found[:2], *found[2]], [*expected[:2], *expected[2]], strict=True):
        assert mine.dtype == torch.float32
        assert 0 < float((mine - theirs).detach().norm() / theirs.detach().norm()) < 0.05
    assert low(images()).dtype == torch.float32


def test_weights_gradients_and_statistics_stay_fp32_and_are_the_networks_own() -> None:
    network = small.network("wrn10_1", 1)
    low = lowered(network, CPU)
    assert type(network).__name__ == type(low).__name__ and type(network) is not type(low)
    assert list(low.state_dict()) == list(network.state_dict())
    low.train()(images()).square().mean().backward()
    assert all(value.dtype in (torch.float32, torch.int64) for value in low.state_dict().values())
    assert all(mine is theirs for mine, theirs in zip(low.parameters(), network.parameters(), strict=True))
    assert all(p.grad is not None and p.grad.dtype == torch.float32 for p in low.parameters())


@pytest.mark.parametrize("make", [copy.copy, copy.deepcopy])
def test_copies_calculate_as_the_original(make: Any) -> None:
    low = lowered(small.network("wrn10_1", 1), CPU)
    assert torch.equal(make(low)(images()), low(images()))


def test_what_a_method_builds_is_lowered_and_its_weights_are_those_of_fp32() -> None:
    def build(*precision: Any) -> nn.Linear:
        return Streams(0, CPU, *precision).build("generator-init", lambda: nn.Linear(3, 3))

    x = torch.linspace(0, 1, 6).view(2, 3)
    full, low = build(), build("bf16")
    assert torch.equal(full.weight, low.weight)
    assert type(full) is nn.Linear and type(build("tf32")) is nn.Linear
    assert torch.equal(low(x), low(x).bfloat16().float()) and not torch.equal(full(x), low(x))
