"""Optimizers with their rate on the device, against PyTorch's plain ones."""

from __future__ import annotations

import io
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from methods.parts.optimization import apply_gradients
from methods.parts.optimizers import optimizer, set_learning_rate

KINDS = [
    (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.01}),
    (torch.optim.Adam, {"betas": (0.5, 0.999)}),
    (torch.optim.Adam, {"weight_decay": 0.01}),
    (torch.optim.AdamW, {}),
]
LAYOUTS = [torch.contiguous_format, torch.channels_last]
RATES = [0.1, 0.1, 0.01, 0.5]


def weights(layout: torch.memory_format) -> list[Tensor]:
    random = torch.Generator().manual_seed(0)
    shapes = [(6, 5, 3, 3), (4, 5, 1, 1), (1, 4, 3, 3)]
    made = [torch.randn(shape, generator=random).to(memory_format=layout) for shape in shapes]
    return [tensor.requires_grad_() for tensor in [*made, torch.randn(7, generator=random)]]


def plain(kind: Any, options: dict[str, Any], gradients: list[list[Tensor]]) -> list[list[float]]:
    """What PyTorch's own loop over single tensors makes of the weights."""
    mine = weights(torch.contiguous_format)
    plainest = kind(mine, lr=RATES[0], foreach=False, fused=False, **options)
    for rate, step in zip(RATES, gradients, strict=True):
        plainest.param_groups[0]["lr"] = rate
        for weight, gradient in zip(mine, step, strict=True):
            weight.grad = gradient.clone()
        plainest.step()
    return [weight.flatten().tolist() for weight in mine]


@pytest.mark.parametrize("gradients_layout", LAYOUTS)
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_steps_are_those_of_the_plain_one_in_any_memory_format(
    kind: Any, options: dict[str, Any], layout: torch.memory_format, gradients_layout: torch.memory_format
) -> None:
    random = torch.Generator().manual_seed(1)
    mine = weights(layout)
    gradients = [[torch.randn(w.shape, generator=random) for w in mine] for _ in RATES]
    fused = optimizer(kind, mine, RATES[0], **options)
    for rate, step in zip(RATES, gradients, strict=True):
        set_learning_rate(fused, rate)
        given = [g.to(memory_format=gradients_layout) if g.dim() == 4 else g for g in step]
        apply_gradients(fused, mine, given)
    for found, expected in zip(mine, plain(kind, options, gradients), strict=True):
        assert found.flatten().tolist() == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_a_network_in_channels_last_learns_what_others_do(kind: Any, options: dict[str, Any]) -> None:
    """With `backward`, and going on after a checkpoint."""

    def network(layout: torch.memory_format) -> nn.Module:
        torch.manual_seed(0)
        layers = (
            nn.Conv2d(3, 8, 3, bias=False),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 4, 1),
            nn.Flatten(),
            nn.Linear(144, 2),
        )
        return nn.Sequential(*layers).to(memory_format=layout)

    def train(layout: torch.memory_format, make: Any, resumed: bool) -> list[Tensor]:
        made, random = network(layout), torch.Generator().manual_seed(2)
        steps = make(made.parameters())
        for _ in range(4):
            x = torch.randn(5, 3, 8, 8, generator=random).to(memory_format=layout)
            steps.zero_grad()
            made(x).square().sum().backward()
            steps.step()
            if resumed:
                torch.save(steps.state_dict(), file := io.BytesIO())
                file.seek(0)
                steps = make(made.parameters())
                steps.load_state_dict(torch.load(file, weights_only=True))
        return list(made.parameters())

    with torch.random.fork_rng():
        expected = train(torch.contiguous_format, lambda p: kind(p, lr=1e-3, foreach=False, **options), False)
        found = train(torch.channels_last, lambda p: optimizer(kind, p, 1e-3, **options), True)
    for one, other in zip(found, expected, strict=True):
        assert torch.allclose(one, other, rtol=1e-3, atol=1e-5)


def test_a_rate_moves_where_it_lies() -> None:
    made = optimizer(torch.optim.SGD, weights(torch.contiguous_format), 0.1)
    (group,) = made.param_groups
    place = group["lr"]
    set_learning_rate(made, 0.25)
    assert group["lr"] is place and place.item() == 0.25


def test_shapes_alone_have_no_kernels() -> None:
    on_meta = [torch.empty(3, device="meta", requires_grad=True)]
    assert optimizer(torch.optim.Adam, on_meta, 0.1, betas=(0.5, 0.9)).defaults["lr"] == 0.1
