"""The pretended card itself: it calculates as the CPU does, and notices a mistake of every kind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.pretended import rules
from tests.pretended.device import DEVICE

CPU = torch.device("cpu")
Operation = Callable[[Tensor], Any]


@pytest.fixture
def x() -> Tensor:
    """[3, 3] on the card."""
    return torch.arange(9.0, device=DEVICE).view(3, 3)


@pytest.mark.parametrize(
    "mixed",
    [
        lambda x: x + torch.ones(3),
        lambda x: torch.where(x > 1, x, torch.zeros(3, 3)),
        lambda x: x @ torch.ones(3, 3),
        lambda x: torch.cat([x, torch.ones(3, 3)]),
        lambda x: torch.stack([x.sum(), torch.tensor(1.0)]),
        lambda x: x.index_select(0, torch.tensor([1])),
        lambda x: x.index_copy_(0, torch.arange(3, device=DEVICE), torch.zeros(3, 3)),
        lambda x: nn.functional.cross_entropy(x, torch.tensor([0, 1, 2])),
        lambda x: nn.Linear(3, 3)(x),
        lambda x: torch.ones(3).add_(x[0]),
        lambda x: torch._foreach_add([x, x], [x, torch.ones(3, 3)]),
    ],
)
def test_tensors_of_two_devices_are_refused(mixed: Operation, x: Tensor) -> None:
    with pytest.raises(rules.MixedDevices):
        mixed(x)


@pytest.mark.parametrize(
    "allowed",
    [
        lambda x: x * torch.tensor(2.0),
        lambda x: torch.where(x > 1, x, torch.tensor(0.0)),
        lambda x: x.index_put_((torch.tensor([1], device=DEVICE),), torch.tensor(1.0)),
        lambda x: x.fill_(torch.tensor(1.0)),
        lambda x: torch.ones(3, 3).copy_(x),
        lambda x: x.copy_(torch.ones(3, 3)),
        lambda x: x.to(CPU) + torch.ones(3),
        lambda x: float(x.sum()) + x.tolist()[0][0],
    ],
)
def test_numbers_and_copies_may_cross_outside_of_a_phase(allowed: Operation, x: Tensor) -> None:
    allowed(x)


HOST, CARD = (lambda: torch.Generator().manual_seed(3)), (lambda: torch.Generator(DEVICE).manual_seed(3))


@pytest.mark.parametrize(
    "draw",
    [
        lambda g, device: torch.rand(4, generator=g, device=device),
        lambda g, device: torch.randn(4, generator=g, device=device),
        lambda g, device: torch.randint(9, (4,), generator=g, device=device),
        lambda g, device: torch.randperm(4, generator=g, device=device),
        lambda g, device: nn.init.normal_(torch.empty(4, device=device), generator=g),
        lambda g, device: torch.multinomial(torch.ones(4, device=device), 2, generator=g),
        lambda g, device: torch.bernoulli(torch.full((4,), 0.5, device=device), generator=g),
    ],
)
def test_a_generator_draws_for_its_own_device_alone(draw: Callable[[torch.Generator, torch.device], Tensor]) -> None:
    assert torch.equal(draw(CARD(), DEVICE).cpu(), draw(HOST(), CPU))
    for generator, device in ((HOST(), DEVICE), (CARD(), CPU)):
        with pytest.raises(rules.MixedDevices, match="generator of the"):
            draw(generator, device)


@pytest.mark.parametrize(
    "wait",
    [
        lambda x: x.sum().item(),
        lambda x: float(x.max()),
        lambda x: bool(x.any()),
        lambda x: x.tolist(),
        lambda x: x.cpu(),
        lambda x: torch.zeros(3, 3).copy_(x),
        lambda x: x[x > 1],
        lambda x: x.__setitem__(x > 1, x.sum()),
        lambda x: x.nonzero(),
        lambda x: x.unique(),
        lambda x: torch.equal(x, x),
        lambda x: torch.bincount(x.long().flatten()),
        lambda x: torch.tensor([1.0], device=DEVICE),
        lambda x: torch.as_tensor(3.0, device=DEVICE),
        lambda x: x.new_tensor([1.0]),
        lambda x: torch.zeros(3).to(DEVICE),
        lambda x: x.copy_(torch.zeros(3, 3)),
    ],
)
def test_what_waits_for_the_card_is_refused_inside_a_phase(wait: Operation, x: Tensor) -> None:
    wait(x)
    with rules.phase("synthesis"), pytest.raises(rules.Waits, match="synthesis"):
        wait(x)


@pytest.mark.parametrize(
    "work",
    [
        lambda x: torch.zeros(3, 3, device=DEVICE) + torch.full((3, 3), 2.0, device=DEVICE),
        lambda x: x[1, :2],
        lambda x: x.masked_fill(x > 1, 0.0),
        lambda x: torch.where(x > 1, x, 0.0).sum() * 2.0,
        lambda x: x.sort(dim=1).indices,
    ],
)
def test_and_other_work_is_not(work: Operation, x: Tensor) -> None:
    with rules.phase("synthesis"):
        work(x)
