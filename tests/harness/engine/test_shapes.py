"""What is found without calculating is what calculating gives: shapes, and operations by closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from harness import networks
from harness.engine import shapes


def shaped(network: nn.Module) -> nn.Module:
    return network.to(shapes.META)


@pytest.mark.parametrize("name", ["wrn10_1", "resnet18", "vgg11", "cnn3_16"])
def test_networks_return_shapes_and_gradients_of_shapes(name: str) -> None:
    real = networks.build(name, 10)
    expected = real(torch.zeros(2, 3, 32, 32), return_features=True)
    network = shaped(networks.build(name, 10))
    for _ in range(2):  # found, and remembered
        with shapes.alone():
            x = torch.empty(2, 3, 32, 32, device=shapes.META, requires_grad=True)
            logits, features, stages, *_ = network(x, return_features=True)
            (gradient,) = torch.autograd.grad(logits.sum(), x)
        assert [t.shape for t in (logits, features, *stages)] == [t.shape for t in (*expected[:2], *expected[2])]
        assert gradient.shape == x.shape


def test_operations_are_counted_forward_and_backward() -> None:
    layer, x = shaped(nn.Conv2d(3, 8, 3, padding=1)), torch.empty(5, 3, 16, 16, device=shapes.META)
    once = 2 * 5 * 16 * 16 * 8 * 3 * 9  # two per multiply-add
    with shapes.alone() as counter:
        layer(x)
        assert counter.total == once
        layer(x).sum().backward()
        assert counter.total == 3 * once  # the images need no gradient


def test_drawing_and_reading_need_no_content() -> None:
    random = torch.Generator()
    with shapes.alone():
        drawn = torch.randn(4, 3, generator=random, device=random.device)
        assert drawn.is_meta
        assert drawn.shape == (4, 3)
        assert drawn.sum().item() == 1
        assert torch.randint(5, (4,), generator=random, device=shapes.META).dtype == torch.int64


def test_arguments_that_decide_are_told_apart() -> None:
    with shapes.alone():
        x = torch.empty(4, 6, 8, device=shapes.META)
        assert x.sum(dim=1).shape == (4, 8)
        assert x.sum(dim=2).shape == (4, 6)
        assert (x > 0).dtype == torch.bool
        assert x.double().mean().dtype == torch.float64
        assert F.pad(x, [1, 1]).shape == (4, 6, 10)


def test_what_needs_content_says_so_and_leaves_nothing_behind() -> None:
    x = torch.empty(4, device=shapes.META)
    with shapes.alone(), pytest.raises(NotImplementedError):
        x.nonzero()
    real: Tensor = torch.ones(3)
    assert real.add_(1).sum().item() == 6


class Squared(torch.optim.Optimizer):
    """One whose step multiplies matrices."""

    def __init__(self, weights: list[Tensor]) -> None:
        super().__init__(weights, {})

    def step(self) -> None:  # type: ignore[override]
        (weight,) = self.param_groups[0]["params"]
        weight.data = weight.detach() @ weight.grad


def test_steps_are_left_out_unless_they_multiply_matrices() -> None:
    weight = torch.empty(7, 7, device=shapes.META, requires_grad=True)
    with shapes.alone() as counter:
        weight.sum().backward()
        plain = torch.optim.Adam([weight])
        plain.step()
        assert not plain.state
        assert counter.total == 0
        Squared([weight]).step()
        assert counter.total == 2 * 7**3
