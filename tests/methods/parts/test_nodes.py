"""Nodes against the official code's names; recoloured maps against loops over channels, in float64."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from methods.base.teacher import FrozenTeacher, NoBatchNorm, TeacherOutput
from methods.parts.losses import BatchNormLoss
from methods.parts.nodes import Node, NodeDistance, nodes_of
from tests import small
from tests.methods import slow


@pytest.mark.parametrize(
    ("name", "nodes"),
    [
        (
            "resnet34",
            {
                "groups.3.2.bn2": (512, 4, 4),
                "groups.2.5.bn2": (256, 8, 8),
                "groups.1.3.bn2": (128, 16, 16),
                "groups.0.2.bn2": (64, 32, 32),
            },
        ),
        (
            "vgg11",
            {
                "groups.4.4": (512, 4, 4),
                "groups.2.4": (256, 8, 8),
                "groups.1.1": (128, 16, 16),
                "groups.0.1": (64, 32, 32),
            },
        ),
        (
            "wrn40_2",
            {
                "bn": (128, 8, 8),
                "groups.2.0.bn1": (64, 16, 16),
                "groups.1.0.bn1": (32, 32, 32),
                "groups.0.0.bn1": (16, 32, 32),
            },
        ),
    ],
)
def test_the_papers_teachers_have_the_nodes_of_the_official_code(
    name: str, nodes: dict[str, tuple[int, int, int]]
) -> None:
    given = small.context(small.network(name, 1, small.CIFAR), nn.Identity(), task=small.CIFAR)
    assert nodes_of(given) == [Node(*pair) for pair in nodes.items()]


class Pyramid(nn.Module):
    """A convolution, and two batch norms at each of many sizes."""

    def __init__(self, sizes: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 3, 1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(3) for _ in range(2 * sizes))

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for number, norm in enumerate(self.norms):
            x = norm(F.avg_pool2d(x, 2) if number and not number % 2 else x)
        return x.mean(dim=(2, 3))


@pytest.mark.parametrize(
    ("sizes", "layers"), [(6, [11, 9, 7, 5]), (4, [7, 5, 3, 1]), (3, [5, 3, 1, 0]), (2, [3, 1, 0]), (1, [1, 0])]
)
def test_other_networks_have_the_last_of_each_size_and_the_first_of_all(sizes: int, layers: list[int]) -> None:
    given = small.context(Pyramid(sizes), nn.Identity(), shape=(1, 64, 64))
    assert [node.name for node in nodes_of(given)] == [f"norms.{layer}" for layer in layers]


def test_a_teacher_without_batch_norm_has_none() -> None:
    with pytest.raises(NoBatchNorm):
        nodes_of(small.context(nn.Flatten(), nn.Identity()))


NODES = [Node("groups.1.0.bn2", (32, 4, 4)), Node("bn", (64, 2, 2)), Node("groups.0.0.bn1", (16, 8, 8))]
"""Of wrn10_1, neither in the order of a pass nor in that of the statistics."""
SHAPES = [(3, *node.shape) for node in NODES]
ASKED: dict[str, Any] = {"statistics": True, "inputs_of": [node.name for node in NODES]}


@pytest.fixture
def network(double: None) -> nn.Module:
    return small.network("wrn10_1", 1, small.CIFAR).requires_grad_(False)


def measure(network: nn.Module) -> tuple[FrozenTeacher, NodeDistance]:
    teacher = FrozenTeacher(network)
    return teacher, NodeDistance(NODES, teacher, BatchNormLoss(teacher, 0.9))


def batch(seed: int) -> Tensor:
    return torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def maps_of(answer: TeacherOutput) -> list[Tensor]:
    assert answer.inputs is not None
    return [answer.inputs[node.name].detach().clone().requires_grad_() for node in NODES]


def test_the_first_batch_is_recoloured_to_the_stored_statistics(network: nn.Module) -> None:
    teacher, distance = measure(network)
    answer = teacher(batch(0), **ASKED)
    for node in NODES:
        layer: Any = network.get_submodule(node.name)
        flat = distance.recoloured(node, answer).transpose(0, 1).flatten(1)
        assert torch.allclose(flat.mean(dim=1), layer.running_mean)
        assert torch.allclose(flat.var(dim=1), layer.running_var)  # the unbiased one


def test_the_distance_equals_a_loop_over_batches_nodes_and_channels(network: nn.Module) -> None:
    teacher, distance = measure(network)
    random, average = torch.Generator().manual_seed(9), None
    for seed in range(3):
        inputs, _ = slow.batch_norm_inputs(network, batch(seed))
        biased = slow.statistics(inputs)
        maps = [torch.randn(shape, generator=random).requires_grad_() for shape in SHAPES]
        total = slow.node_distance(network, [node.name for node in NODES], maps, inputs, average, 0.9)
        answer = teacher(batch(seed), **ASKED)
        slow.assert_same(distance(maps, answer), total, *maps)
        assert answer.statistics is not None
        distance.bn_loss.commit(answer.statistics)
        average = slow.move_average(average, biased, 0.9)


def test_only_the_generators_side_has_a_gradient(network: nn.Module) -> None:
    teacher, distance = measure(network)
    x = batch(0)
    answer = teacher(x, **ASKED)
    found = distance(maps_of(answer), answer)
    assert torch.autograd.grad(found, x, allow_unused=True) == (None,)
    moved = teacher(x + torch.randn(x.shape, generator=torch.Generator().manual_seed(1)), **ASKED)
    assert distance(maps_of(answer), moved).item() != pytest.approx(found.item(), rel=1e-2)


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_maps_in_another_order_do_not_fit(network: nn.Module) -> None:
    teacher, distance = measure(network)
    answer = teacher(batch(0), **ASKED)
    with pytest.raises(RuntimeError):
        distance(maps_of(answer)[::-1], answer)


def test_a_channel_that_does_not_vary_has_the_stored_mean(network: Any) -> None:
    network.conv1.weight[2] = 0
    teacher, distance = measure(network)
    found = distance.recoloured(NODES[2], teacher(batch(0), **ASKED))
    assert (found[:, 2] == network.groups[0][0].bn1.running_mean[2]).all()
