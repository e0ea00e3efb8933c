"""Nothing reads the device inside `synthesise` and `distill_step`, nothing is copied to it, and all can be repeated.

Without a GPU, reading shows in the operations: those that return a number to Python, or whose result's shape depends on
values. So does copying: a tensor that is made of Python's numbers lies on the host first. Left out are Adams that are
not fused, which count their steps on the host, and a network's beginning, whose weights are drawn on the host:
once in many rounds, for those that start anew.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from harness.engine.randomness import Streams
from methods.references import KDNoise
from tests import small

READING = ("_local_scalar_dense", "nonzero", "masked_select", "_unique", "unique_dim", "equal", "is_nonzero", "item")


COPYING = ("lift", "lift_fresh", "_pin_memory")
"""What `torch.tensor`, `as_tensor` and `from_numpy` do with numbers of the host."""
UNREPEATABLE = (
    *("grid_sampler_2d_backward", "_adaptive_avg_pool2d_backward", "upsample_bilinear2d_backward", "histc"),
    *("reflection_pad2d_backward", "nll_loss2d_forward", "_ctc_loss", "kthvalue", "median", "put_"),
)
"""What PyTorch refuses on a GPU with `deterministic: true`: its documentation of use_deterministic_algorithms."""


class ReadsTheDevice(AssertionError):
    pass


class CopiesToTheDevice(AssertionError):
    pass


class CannotBeRepeated(AssertionError):
    pass


class Watch(TorchDispatchMode):
    """Raises where the host would wait for the device."""

    active = True
    unrepeatable: tuple[str, ...] = UNREPEATABLE

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__ if hasattr(func, "overloadpacket") else str(func)
        indices = args[1] if name in ("index", "index_put", "index_put_") and len(args) > 1 else ()
        masked = any(index is not None and index.dtype == torch.bool for index in indices)
        if self.active and (masked or any(name.startswith(reading) for reading in READING)):
            raise ReadsTheDevice(name)
        if self.active and (name in COPYING or (name == "repeat_interleave" and "output_size" not in (kwargs or {}))):
            raise CopiesToTheDevice(name)
        if self.active and name in self.unrepeatable:
            raise CannotBeRepeated(name)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()

    def unwatched(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            watch.active = False
            try:
                return function(*args, **kwargs)
            finally:
                watch.active = True

        return call

    monkeypatch.setattr(Streams, "build", unwatched(Streams.build))
    step = torch.optim.Adam.step

    def plain_unwatched(self: torch.optim.Adam) -> Any:
        return step(self) if self.defaults["fused"] else unwatched(step)(self)

    monkeypatch.setattr(torch.optim.Adam, "step", plain_unwatched)
    return watch


def run(method: Any, watch: Watch) -> None:
    """Warm-up, then two rounds under watch: the second has a full bank, a moved average and a drawn buffer."""
    first = method.schedule.warmup
    for index in range(first):
        method.synthesise(index)
    for index in (first, first + 1):
        with watch:
            method.synthesise(index)
        method.begin_round(index, 2)
        with watch:
            method.distill_step()
            method.distill_step()


@pytest.mark.parametrize(("name", "preset"), small.once(small.presets(), small.options))
def test_no_method_reads_the_device(name: str, preset: str, watch: Watch) -> None:
    given = small.context(*small.agreeing_pair(), scale=0.2)
    method = small.make(name, given, small.options(name, preset))
    run(method, watch)


@pytest.mark.parametrize("name", ["fast", "ssd-kd"])
def test_keeping_answers_reads_nothing_either(name: str, watch: Watch) -> None:
    given = small.context(*small.agreeing_pair(), scale=0.2, memory=2**30)
    method = small.make(name, given, small.options(name, batch=256))
    assert method.asking.once
    run(method, watch)


def test_reading_is_noticed(watch: Watch) -> None:
    class Reader(KDNoise):
        def distill_step(self) -> Any:
            losses = super().distill_step()
            losses["kd"].item()
            return losses

    given = small.context(*small.agreeing_pair(), scale=0.2)
    method = Reader(Reader.Config(**small.FEW), given)
    method.synthesise(0)
    method.begin_round(0, 2)
    with watch, pytest.raises(ReadsTheDevice, match="_local_scalar_dense"):
        method.distill_step()


def test_a_mask_as_an_index_is_noticed(watch: Watch) -> None:
    x = torch.arange(4.0)
    with watch, pytest.raises(ReadsTheDevice, match="index"):
        _ = x[x > 1]


@pytest.mark.parametrize(
    "copy",
    [
        lambda x: torch.tensor([1, 2], device=x.device),
        lambda x: torch.as_tensor(3.0, device=x.device) + x,
        lambda x: x.new_tensor([1.0]),
        lambda x: torch.repeat_interleave(x, torch.arange(4)),
    ],
)
def test_numbers_of_the_host_are_noticed(copy: Any, watch: Watch) -> None:
    x = torch.arange(4.0)
    with watch, pytest.raises(CopiesToTheDevice):
        copy(x)


def test_an_operation_that_cannot_be_repeated_is_noticed(watch: Watch) -> None:
    x = torch.rand(1, 1, 4, 4, requires_grad=True)
    with watch, pytest.raises(CannotBeRepeated, match="grid_sampler_2d_backward"):
        nn.functional.grid_sample(x, torch.zeros(1, 2, 2, 2), align_corners=True).sum().backward()
