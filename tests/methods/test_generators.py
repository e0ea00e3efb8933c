"""Generators against published counts and what each one's last layers promise."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from methods.base import Task
from methods.parts.generators import KINDS, ImageGenerator

INPUT_KINDS = ["dafl", "dfad", "zskt"]


def task(*shape: int) -> Task:
    return Task(10, shape, (0.5,) * shape[0], (0.25,) * shape[0], pad=4, flip=True, reference_size=1)  # type: ignore[arg-type]


CIFAR, DIGITS = task(3, 32, 32), task(1, 8, 8)


def batch_norms(generator: nn.Module) -> list[nn.BatchNorm2d]:
    return [module for module in generator.modules() if isinstance(module, nn.BatchNorm2d)]


def images(generator: ImageGenerator, nz: int, count: int = 16) -> torch.Tensor:
    with torch.no_grad():
        return generator(torch.randn(count, nz))


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("kind", "nz", "parameters"),
    [
        ("fast", 256, 2_328_899),
        ("fast", 512, 4_426_051),
        ("cmi", 256, 4_581_955),
        ("cmi", 512, 8_776_259),
        ("dafl", 1000, 8_423_939),
        ("dfad", 256, 2_329_091),
        ("zskt", 100, 1_051_145),
    ],
)
def test_parameters(kind: str, nz: int, parameters: int) -> None:
    assert sum(p.numel() for p in KINDS[kind](CIFAR, nz).parameters()) == parameters


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("where", [CIFAR, DIGITS, task(3, 32, 64)], ids=lambda where: str(where.shape))
def test_shapes(kind: str, where: Task) -> None:
    assert images(KINDS[kind](where, 7, 8), 7).shape == (16, *where.shape)


@pytest.mark.parametrize(
    ("kind", "channels"),
    [
        ("fast", [10, 10, 5]),
        ("cmi", [20, 10, 5]),
        ("dafl", [10, 10, 5, 1]),
        ("dfad", [10, 10, 5, 1]),
        ("zskt", [10, 10, 5, 1]),
    ],
)
def test_width_scales_every_layer(kind: str, channels: list[int]) -> None:
    assert [layer.num_features for layer in batch_norms(KINDS[kind](DIGITS, 7, 10))] == channels


@pytest.mark.parametrize(
    ("kind", "eps"),
    [
        ("fast", [1e-5] * 3),
        ("cmi", [1e-5] * 3),
        ("dafl", [1e-5, 0.8, 0.8, 1e-5]),
        ("dfad", [1e-5] * 4),
        ("zskt", [1e-5] * 4),
    ],
)
def test_eps(kind: str, eps: list[float]) -> None:
    assert [layer.eps for layer in batch_norms(KINDS[kind](CIFAR, 7))] == eps


@pytest.mark.parametrize(("kind", "biased"), [("fast", 1), ("cmi", 1), ("dafl", 3), ("dfad", 3), ("zskt", 3)])
def test_bias_of_convolutions(kind: str, biased: int) -> None:
    convolutions = [module for module in KINDS[kind](CIFAR, 7).modules() if isinstance(module, nn.Conv2d)]
    assert [conv.bias is not None for conv in convolutions] == [False] * (3 - biased) + [True] * biased


@pytest.mark.parametrize("kind", KINDS)
def test_space(kind: str) -> None:
    generator = KINDS[kind](CIFAR, 20, 16)
    x = images(generator, 20)
    assert generator.space == ("input" if kind in INPUT_KINDS else "unit")
    assert ((x >= 0) & (x <= 1)).all() == (generator.space == "unit")


@pytest.mark.parametrize("kind", INPUT_KINDS)
def test_each_batch_has_mean_0_and_variance_1(kind: str) -> None:
    x = images(KINDS[kind](CIFAR, 100), 100)
    assert x.mean(dim=(0, 2, 3)).tolist() == pytest.approx([0] * 3, abs=1e-4)
    assert x.var(dim=(0, 2, 3), correction=0).tolist() == pytest.approx([1] * 3, abs=0.01)


@pytest.mark.parametrize(("kind", "affine"), [("dafl", False), ("dfad", False), ("zskt", True)])
def test_whether_the_last_batch_norm_learns(kind: str, affine: bool) -> None:
    assert batch_norms(KINDS[kind](CIFAR, 7))[-1].affine is affine


@pytest.mark.parametrize(("kind", "bounded"), [("dafl", True), ("dfad", True), ("zskt", False)])
def test_whether_a_tanh_bounds_what_is_normalised(kind: str, bounded: bool) -> None:
    generator, seen = KINDS[kind](CIFAR, 100), []
    convolution = [module for module in generator.modules() if isinstance(module, nn.Conv2d)][-1]
    with torch.no_grad():
        convolution.weight.mul_(100)
    batch_norms(generator)[-1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].abs().max().item()))
    images(generator, 100)
    assert (seen[0] <= 1) is bounded
