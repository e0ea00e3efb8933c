"""A process on a machine that has the pretended card: what of PyTorch and of the bench must know it meanwhile."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils import _foreach_utils
from torch.utils._python_dispatch import TorchDispatchMode

from harness.engine import loop
from harness.engine.clock import Clock
from harness.engine.randomness import Streams
from harness.machine import card
from tests.pretended import generators, rules
from tests.pretended.device import DEVICE
from tests.pretended.tensors import OnCard, carry_out


class WatchedClock(Clock):
    """The bench's clock; nothing may wait for the card inside its synthesis and distillation."""

    @contextmanager
    def synthesis(self) -> Iterator[None]:
        with super().synthesis(), rules.phase("synthesis"):
            yield

    @contextmanager
    def distillation(self) -> Iterator[None]:
        with super().distillation(), rules.phase("distillation"):
            yield


class _Factories(TorchDispatchMode):
    """Operations in which no tensor of the card takes part: they may make one, or be given a generator of it."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if kwargs.get("device") == DEVICE:
            return carry_out(func, *args, **kwargs)
        if OnCard not in types:
            generators.refuse_for_host(kwargs.get("generator"))
        return func(*args, **kwargs)


def on_host_first(make: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """`torch.tensor` or `torch.as_tensor`: they copy from the host where no mode can see it."""

    def made(content: Any, *, device: Any = None, requires_grad: bool = False, **options: Any) -> Tensor:
        found = make(content, **options)
        return (found if device is None else found.to(device)).requires_grad_(requires_grad)

    return made


def births_may_wait(build: Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """`Streams.build`: first weights come from the host, also those of a network that starts anew in a run."""

    def built(*args: Any, **options: Any) -> nn.Module:
        with rules.suspended():
            return build(*args, **options)

    return built


@contextmanager
def with_card() -> Iterator[None]:
    """A block in which the card is there."""
    with pytest.MonkeyPatch.context() as patch, _Factories():
        patch.setattr(torch, "Generator", generators.Generator)
        patch.setattr(torch, "tensor", on_host_first(torch.tensor))
        patch.setattr(torch, "as_tensor", on_host_first(torch.as_tensor))
        patch.setattr(_foreach_utils, "_foreach_supported_types", [*_foreach_utils._foreach_supported_types, OnCard])
        patch.setattr(loop, "Clock", WatchedClock)
        patch.setattr(Streams, "build", births_may_wait(Streams.build))
        readings = itertools.count(1.0)
        patch.setattr(card, "joules", lambda device: next(readings))
        patch.setattr(card, "sharers", lambda device: 0)
        yield
