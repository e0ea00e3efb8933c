"""The spectral norm against a singular value decomposition, and against PyTorch's own."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from methods.parts.spectral_norm import normalise_convolutions
from methods.parts.upsampling import UpsampledConvolution


def convolutions() -> nn.Sequential:
    torch.manual_seed(0)
    made = nn.Sequential(UpsampledConvolution(4, 6, bias=True), nn.Conv2d(6, 3, 3, padding=1), nn.Linear(2, 2))
    normalise_convolutions(made)
    return made


def test_convolutions_stretch_nothing_after_power_iterations() -> None:
    made = convolutions().train()
    plain = [made[number].parametrizations.weight.original.detach() for number in (0, 1)]
    for _ in range(100):
        made[:2](torch.randn(1, 4, 2, 2))
    for layer, weight in zip(made[:2].eval(), plain, strict=True):
        assert torch.allclose(layer.weight, weight / torch.linalg.svdvals(weight.flatten(1))[0], rtol=1e-4, atol=1e-6)
        assert torch.linalg.svdvals(layer.weight.flatten(1))[0] <= 1 + 1e-4
    assert not hasattr(made[2], "parametrizations")


@pytest.mark.usefixtures("double")
def test_step_and_gradient_are_pytorchs() -> None:
    mine = convolutions().train()[1]
    theirs = nn.Conv2d(6, 3, 3, padding=1)
    theirs.weight.data.copy_(mine.parametrizations.weight.original)
    nn.utils.parametrizations.spectral_norm(theirs)
    theirs.parametrizations.weight[0]._u.copy_(mine.parametrizations.weight[0].left)
    target = torch.randn(3, 6, 3, 3)
    for _ in range(200):
        pair = [(layer.weight, layer.parametrizations.weight.original) for layer in (mine, theirs)]
    gradients = [torch.autograd.grad((weight * target).sum(), original)[0] for weight, original in pair]
    assert torch.allclose(pair[0][0], pair[1][0], rtol=1e-9, atol=1e-12)
    assert torch.allclose(*gradients, rtol=1e-7, atol=1e-10)


def test_only_training_moves_the_vector_and_a_state_holds_it() -> None:
    layer = convolutions()[1]
    kept = layer.parametrizations.weight[0].left
    for training in (False, True):
        before = kept.clone()
        layer.train(training)(torch.zeros(1, 6, 2, 2))
        assert torch.equal(kept, before) != training
    assert torch.equal(layer.state_dict()["parametrizations.weight.0.left"], kept)
