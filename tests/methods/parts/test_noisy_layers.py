"""Noisy layers and the generator that has them, against one linear layer after another."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from methods.parts.generators import Generator
from methods.parts.noisy_layers import NoisyGenerator, NoisyLayers
from tests import small
from tests.methods import slow


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(classes: int, batch: int, inputs: int = 5, outputs: int = 3) -> NoisyLayers:
    layers = NoisyLayers(classes, batch, inputs, outputs)
    layers.redraw(random())
    with torch.no_grad():
        layers.bias.normal_(generator=random(1))
    return layers


@pytest.mark.usefixtures("double")
@pytest.mark.parametrize(
    ("classes", "batch", "layers"), [(10, 40, 4), (10, 46, 5), (100, 256, 3), (30, 8, 1), (4, 4, 1)]
)
def test_row_i_goes_through_its_cycles_layer(classes: int, batch: int, layers: int) -> None:
    noisy, x = drawn(classes, batch), torch.randn(batch, 5, generator=random(2))
    assert len(noisy.weight) == layers
    rows = [nn.functional.linear(x[i], noisy.weight[i // classes].T, noisy.bias[i // classes]) for i in range(batch)]
    assert slow.distance(noisy(x), torch.stack(rows)) < 1e-12


@pytest.mark.parametrize(("classes", "parameters"), [(100, 10_476_771), (10, 28_944_771)])
def test_parameters(classes: int, parameters: int) -> None:
    with torch.device("meta"):
        generator = NoisyGenerator(torch.empty(classes, 512), 400, 1000, Generator(small.CIFAR, 1000))
    assert sum(p.numel() for p in generator.parameters()) == parameters


def test_redrawn_weights_are_standard_normal() -> None:
    """The mean square of a row's outputs is then its own squared length; PyTorch's initial weights give 1/(3 · 512)."""
    layers, x = NoisyLayers(10, 40, 512, 1000), torch.randn(40, 512, generator=random(1))
    with torch.no_grad():
        layers.bias.fill_(1.0)
    layers.redraw(random(2))
    assert not layers.bias.any()
    share = layers(x).square().mean(dim=1) / x.square().sum(dim=1)
    assert (share - 1).abs().max() < 5 * (2 / 1000) ** 0.5


def images(embedding: Tensor, y: Tensor) -> Tensor:
    """Of a generator whose weights are always the same."""
    torch.manual_seed(0)
    generator = NoisyGenerator(embedding, len(y), 6, Generator(small.DIGITS, 6, 4))
    generator.noisy.redraw(random())
    return generator(y).detach()


CYCLES = torch.arange(10).repeat(3)


@pytest.mark.usefixtures("double")
def test_two_rows_of_one_cycle_that_change_places_swap_their_images() -> None:
    swapped = CYCLES.clone()
    swapped[12], swapped[17] = CYCLES[17], CYCLES[12]
    before, after = images(torch.eye(10), CYCLES), images(torch.eye(10), swapped)
    order = torch.arange(30)
    order[12], order[17] = 17, 12
    assert slow.distance(after, before[order]) < 1e-12
    assert slow.distance(after, before) > 1e-3


@pytest.mark.usefixtures("double")
def test_embeddings_count_up_to_scale_and_place() -> None:
    """The first batch norm standardises every number; its eps is what is left of a difference."""
    embedding = torch.randn(10, 7, generator=random(3))
    first = images(embedding, CYCLES)
    assert slow.distance(images(2 * embedding, CYCLES), first) < 1e-3
    assert slow.distance(images(embedding + torch.randn(7, generator=random(4)), CYCLES), first) < 1e-12
    order = torch.randperm(10, generator=random(5))
    assert slow.distance(images(embedding[order], CYCLES), images(embedding, order[CYCLES])) < 1e-12
