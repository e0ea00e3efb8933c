"""Class activation maps and Grad-CAMs against loops over places, channels and samples."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from harness.engine.lowered import lowered
from methods.base.inside import look_inside
from methods.parts.class_activation import at_the_smaller_size, class_activation, grad_cam, of_common_sizes
from tests import small

CPU = torch.device("cpu")


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.usefixtures("double")
def test_a_class_activation_is_the_classifier_at_every_place_and_moves_the_map_alone() -> None:
    unpooled, weight = normal(2, 5, 3, 4).requires_grad_(), normal(7, 5, seed=1).requires_grad_()
    found = class_activation(unpooled, weight)
    assert found.shape == (2, 3, 4, 7)
    numbers = found.detach()
    for i, y, x, k in [(0, 0, 0, 0), (0, 2, 3, 6), (1, 1, 2, 4)]:
        expected = sum(float(weight[k, c].detach() * unpooled[i, c, y, x].detach()) for c in range(5))
        assert float(numbers[i, y, x, k]) == pytest.approx(expected)
    of_map, of_head = torch.autograd.grad(found.square().sum(), [unpooled, weight], allow_unused=True)
    assert of_map.norm() > 0
    assert of_head is None


def test_no_class_activation_where_more_than_a_mean_comes_before_the_classifier() -> None:
    with pytest.raises(ValueError, match="it takes 6 features, and the map has 5 channels"):
        class_activation(normal(2, 5, 3, 3), normal(7, 6))


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize("name", ["wrn10_1", "cnn3_16", "vgg11"])
def test_grad_cam_is_that_of_each_sample_alone(name: str) -> None:
    """In evaluation mode, against a pass for each sample and a loop over its channels."""
    network, x, classes = small.network(name, 1), normal(3, 1, 8, 8), torch.tensor([4, 0, 9])
    inside = look_inside(network, x.requires_grad_())
    found = grad_cam(inside.logits, inside.stages, classes, keep_graph=True)
    for i, wanted in enumerate(classes.tolist()):
        alone = look_inside(network, x[i : i + 1])
        for mine, stage in zip(found, alone.stages, strict=True):
            (gradient,) = torch.autograd.grad(alone.logits[0, wanted], stage, retain_graph=True)
            expected = torch.zeros(stage.shape[2:])
            for slope, channel in zip(gradient[0], stage[0], strict=True):
                expected += float(slope.sum()) / slope.numel() * channel.detach()
            assert torch.allclose(mine[i], expected, rtol=1e-10, atol=1e-14)
    assert all(one.norm() > 0 for one in found)


@pytest.mark.usefixtures("double")
def test_its_gradient_goes_through_the_map_alone() -> None:
    """The other factor is a number, so that nothing is derived twice: weights behind the map get no gradient."""
    layer, head = nn.Conv2d(1, 4, 3), nn.Linear(4, 10)
    stage = layer(normal(3, 1, 8, 8))
    (found,) = grad_cam(head(stage.tanh().mean((2, 3))), [stage], torch.tensor([1, 2, 3]), keep_graph=True)
    slopes = torch.stack([(1 - stage[i].tanh() ** 2) * head.weight[i + 1][:, None, None] / 36 for i in range(3)])
    expected = (slopes.mean((2, 3), keepdim=True).detach() * stage).sum(1)
    assert torch.allclose(found, expected)
    mine, theirs = (
        torch.autograd.grad(one.square().sum(), layer.weight, retain_graph=True)[0] for one in (found, expected)
    )
    assert torch.allclose(mine, theirs)
    assert torch.autograd.grad(found.sum(), [head.weight], allow_unused=True) == (None,)


def test_of_a_network_in_bf16_it_is_near_that_of_fp32() -> None:
    network, x, classes = small.network("wrn10_1", 1), normal(4, 1, 8, 8).requires_grad_(), torch.arange(4)

    def found(made: nn.Module) -> list[Tensor]:
        inside = look_inside(made, x)
        return grad_cam(inside.logits, inside.stages, classes, keep_graph=False)

    for low, full in zip(found(lowered(network, CPU)), found(network), strict=True):
        assert low.dtype == torch.float32
        assert 0 < float((low - full).detach().norm() / full.detach().norm()) < 0.05


def sizes(*shapes: tuple[int, int]) -> list[Tensor]:
    return [normal(1, i + 1, *shape) for i, shape in enumerate(shapes)]


def numbers(maps: list[Tensor]) -> list[int]:
    """Which of `sizes` they are."""
    return [one.shape[1] - 1 for one in maps]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([(32, 32), (32, 32), (16, 16), (8, 8)], [(32, 32), (32, 32), (16, 16), (8, 8)], ([1, 2, 3], [1, 2, 3])),
        ([(32, 32), (16, 16), (8, 8), (4, 4), (4, 4)], [(32, 32), (32, 32), (16, 16), (8, 8), (4, 4)],
         ([0, 1, 2, 4], [1, 2, 3, 4])),
        ([(16, 16), (8, 8)], [(8, 8), (4, 4)], ([1], [0])),
    ],
)  # fmt: skip
def test_of_every_common_size_the_last(one: Any, other: Any, expected: Any) -> None:
    """Of WRNs the three groups, of ResNets the four, without their stems."""
    assert tuple(map(numbers, of_common_sizes(sizes(*one), sizes(*other)))) == expected


def test_stages_without_a_common_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"height and width: \[\(8, 8\)\] and \[\(8, 4\)\]"):
        of_common_sizes(sizes((8, 8)), sizes((8, 4)))


def test_the_larger_map_is_averaged_down() -> None:
    large, low = normal(2, 3, 4, 4), normal(2, 5, 2, 2)
    found, same = at_the_smaller_size(large, low)
    assert same is low
    assert found.shape == (2, 3, 2, 2)
    assert found[1, 2, 0, 1] == pytest.approx(float(large[1, 2, :2, 2:].sum()) / 4)
    assert all(a is b for a, b in zip(at_the_smaller_size(low, low), (low, low), strict=True))
