"""R_BN against hooks and loops over layers, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from methods.base.teacher import FrozenTeacher
from methods.parts.losses import BatchNormLoss
from tests import small
from tests.methods import slow

NETWORKS = ["wrn16_1", "resnet18", "vgg11"]
pytestmark = pytest.mark.usefixtures("double")


def batch(seed: int) -> torch.Tensor:
    return torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(seed)).requires_grad_()


@pytest.mark.parametrize("name", NETWORKS)
def test_value_and_input_gradient_plain_and_with_momentum_over_rounds(name: str) -> None:
    network = small.network(name, 3, small.CIFAR).requires_grad_(False)
    teacher, momentum = FrozenTeacher(network), 0.9
    plain, moving = BatchNormLoss(teacher), BatchNormLoss(teacher, momentum)
    average: slow.Statistics | None = None
    for seed in range(4):  # the average is empty, then that of one, two and three rounds
        x = batch(seed)
        seen = slow.statistics(slow.batch_norm_inputs(network, x)[0])
        found = teacher(x, statistics=True).statistics
        assert found is not None
        mine, theirs = moving(found), slow.bn_loss(seen, average, momentum)
        assert mine.item() == pytest.approx(theirs.item(), rel=1e-10)
        assert plain(found).item() == pytest.approx(slow.bn_loss(seen).item(), rel=1e-10)
        gradients = [torch.autograd.grad(loss, x)[0] for loss in (mine, theirs)]
        assert gradients[1].norm() > 1e-3
        assert slow.distance(*gradients) < 1e-10
        moving.commit(found)
        average = slow.move_average(average, seen, momentum)


def test_the_first_layer_may_count_more_often() -> None:
    """Ten times: nine times its two norms more."""
    network = small.network("wrn10_1", 3, small.CIFAR)
    teacher, x = FrozenTeacher(network), batch(0)
    found = teacher(x, statistics=True).statistics
    assert found is not None
    seen = slow.statistics(slow.batch_norm_inputs(network, x)[0])
    layer = next(module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    more = 9 * slow.bn_loss({layer: seen[layer]})
    weighted, plain = BatchNormLoss(teacher, first=10.0)(found), BatchNormLoss(teacher)(found)
    assert (weighted - plain).item() == pytest.approx(more.item(), rel=1e-9)


def test_momentum_scales_the_gradient() -> None:
    """Only 1 - ρ of the statistics depends on the images."""
    network = small.network("wrn10_1", 3, small.CIFAR)
    teacher, x = FrozenTeacher(network), batch(0)
    loss = BatchNormLoss(teacher, 0.9)
    found = teacher(x, statistics=True).statistics
    assert found is not None
    first = torch.autograd.grad(loss(found), x, retain_graph=True)[0]
    loss.commit(found)  # the average now equals the batch, so that the value stays and the gradient shrinks
    assert slow.distance(torch.autograd.grad(loss(found), x)[0], 0.1 * first) < 1e-10


def test_statistics_that_fit_give_no_gradient_and_no_nan() -> None:
    class Alone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bn = nn.BatchNorm2d(1)

        def forward(self, x: torch.Tensor, return_features: bool = False) -> tuple[torch.Tensor, torch.Tensor, tuple]:
            y = self.bn(x)
            return y, y, ()

    x = torch.tensor([1.0, -1.0]).view(2, 1, 1, 1).requires_grad_()  # mean 0, variance 1
    teacher = FrozenTeacher(Alone())
    loss = BatchNormLoss(teacher)(teacher(x, statistics=True).statistics)  # type: ignore[arg-type]
    assert loss.item() == 0
    assert torch.autograd.grad(loss, x)[0].tolist() == [[[[0.0]]], [[[0.0]]]]


def test_teacher_without_batch_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="no batch-norm layers"):
        BatchNormLoss(FrozenTeacher(nn.Linear(2, 2)))
