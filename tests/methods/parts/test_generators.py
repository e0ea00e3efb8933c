"""Randomness against published counts and what each one's last layers promise."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from methods.base.task import Task
from methods.parts.generators import KINDS, DCGANUnitGenerator, Generator, ImageGenerator, for_task

NORMALISED_KINDS = ["dafl", "dfad", "zskt"]
"""Whose last layer is a batch norm."""
DCGAN_KINDS = ["dcgan", "dcgan-unit"]
SMALL_KINDS = [kind for kind in KINDS if kind not in DCGAN_KINDS]


def task(*shape: int) -> Task:
    return Task(10, shape, (0.5,) * shape[0], (0.25,) * shape[0], pad=4, flip=True, reference_size=1)  # type: ignore[arg-type]


CIFAR, DIGITS, ROOMS = task(3, 32, 32), task(1, 8, 8), task(3, 128, 128)


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


@pytest.mark.parametrize("kind", DCGAN_KINDS)
def test_parameters_of_dcgan(kind: str) -> None:
    assert sum(p.numel() for p in KINDS[kind](ROOMS, 256).parameters()) == 11_243_203


@pytest.mark.parametrize("kind", SMALL_KINDS)
@pytest.mark.parametrize("where", [CIFAR, DIGITS, task(3, 32, 64)], ids=lambda where: str(where.shape))
def test_shapes(kind: str, where: Task) -> None:
    assert images(KINDS[kind](where, 7, 8), 7).shape == (16, *where.shape)


@pytest.mark.parametrize("kind", DCGAN_KINDS)
@pytest.mark.parametrize("where", [ROOMS, task(1, 16, 48)], ids=lambda where: str(where.shape))
def test_shapes_of_dcgan(kind: str, where: Task) -> None:
    generator = KINDS[kind](where, 7, 4)
    assert images(generator, 7, 2).shape == (2, *where.shape)
    assert generator.linear.out_features == 32 * where.shape[1] * where.shape[2] // 256
    assert generator.first_norm.num_features == 32


@pytest.mark.parametrize(
    ("kind", "shape", "message"), [("fast", (3, 32, 30), "multiples of 4"), ("dcgan", (3, 24, 32), "multiples of 16")]
)
def test_sizes_that_cannot_be_made(kind: str, shape: tuple[int, int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        KINDS[kind](task(*shape), 7, 8)


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


@pytest.mark.parametrize("kind", DCGAN_KINDS)
def test_width_scales_every_layer_of_dcgan(kind: str) -> None:
    generator = KINDS[kind](ROOMS, 7, 10)
    assert [layer.num_features for layer in batch_norms(generator)] == [80, 40, 20, 10, 10]
    upsampling = [module for module in generator.modules() if isinstance(module, nn.ConvTranspose2d)]
    assert {(conv.kernel_size, conv.stride, conv.padding, conv.bias) for conv in upsampling} == {
        ((4, 4), (2, 2), (1, 1), None)
    }
    (last,) = [module for module in generator.modules() if isinstance(module, nn.Conv2d)]
    assert (last.in_channels, last.out_channels, last.kernel_size) == (10, 3, (3, 3))
    assert last.bias is not None


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
    assert generator.space == ("input" if kind in [*NORMALISED_KINDS, "dcgan"] else "unit")
    assert ((x >= 0) & (x <= 1)).all() == (generator.space == "unit")


@pytest.mark.parametrize("kind", NORMALISED_KINDS)
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


def test_dcgan_fills_the_range_between_minus_one_and_one() -> None:
    """Its twin does the same between 0 and 1: (tanh(x) + 1) / 2 is sigmoid(2 x), and the last bias is 0."""
    signed, unit = KINDS["dcgan"](CIFAR, 20, 4), KINDS["dcgan-unit"](CIFAR, 20, 4)
    with torch.no_grad():
        signed.body[-2].weight.mul_(100)  # type: ignore[operator,union-attr]
    unit.load_state_dict(signed.state_dict())
    with torch.no_grad():
        unit.body[-2].weight.mul_(2)  # type: ignore[operator,union-attr]
    z = torch.randn(16, 20)
    x = signed(z)
    assert -1 <= x.min() < -0.9
    assert 0.9 < x.max() <= 1
    assert torch.allclose((x + 1) / 2, unit(z), atol=1e-5)


@pytest.mark.parametrize("kind", DCGAN_KINDS)
def test_dcgan_starts_small(kind: str) -> None:
    """Weights N(0, 0.02), those of batch norm N(1, 0.02), biases 0: all within five standard errors."""
    layers = [layer for layer in KINDS[kind](ROOMS, 100).modules() if not list(layer.children())]
    learning = [layer for layer in layers if list(layer.parameters())]
    assert len(learning) == 11
    for layer in learning:
        centre = 1.0 if isinstance(layer, nn.BatchNorm2d) else 0.0
        count = layer.weight.numel()
        assert layer.weight.mean().item() == pytest.approx(centre, abs=5 * 0.02 / count**0.5)
        assert layer.weight.std().item() == pytest.approx(0.02, rel=5 / (2 * count) ** 0.5)
        assert layer.bias is None or not layer.bias.any()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((3, 32, 32), Generator),
        ((3, 64, 64), Generator),
        ((3, 128, 128), DCGANUnitGenerator),
        ((3, 64, 128), DCGANUnitGenerator),
    ],
)
def test_generator_for_task(shape: tuple[int, int, int], expected: type[ImageGenerator]) -> None:
    assert for_task(task(*shape)) is expected
    assert expected.space == "unit"
