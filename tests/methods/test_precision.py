"""Every method with networks in bfloat16: losses stay near those of fp32, and nothing but networks has 16 bits."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import methods
from harness.engine.lowered import lowered
from harness.engine.randomness import Streams
from methods.base.method import Context, Losses, Method
from methods.base.teacher import FrozenTeacher
from tests import small

CPU = torch.device("cpu")
FIRST, LATER = 0.02, 0.25
"""How far a loss may be from that of fp32 in the first call, and in what follows, as a share of the largest of its own.
Rounding to 8 bits moves the first by thousandths; then images, choices and weights are others too."""
LAYERS = {
    *("convolution", "native_batch_norm", "addmm", "mm", "bmm", "baddbmm"),
    *("relu", "relu_", "leaky_relu", "sigmoid", "tanh"),
    *("convolution_backward", "native_batch_norm_backward", "threshold_backward", "leaky_relu_backward"),
    *("sigmoid_backward", "tanh_backward", "upsample_nearest2d", "upsample_nearest2d_backward"),
    *("mean", "div", "add", "sum", "mul"),
    *("_to_copy", "clone", "detach", "t", "view", "_unsafe_view", "expand", "unsqueeze", "zeros"),
    *("slice", "slice_backward", "transpose"),
    *("addcmul", "addcmul_"),
}
"""Operations that may take or give bfloat16: layers and their gradients, pooling and sums of branches, conversions,
copies and views, and the gradient of batch-norm statistics, which is calculated in 32 bits."""


class Watch(TorchDispatchMode):
    """Notes the operations that take or give bfloat16."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        returned = func(*args, **(kwargs or {}))
        leaves = tree_leaves((args, kwargs, returned))
        if any(isinstance(leaf, Tensor) and leaf.dtype == torch.bfloat16 for leaf in leaves):
            self.seen.add(func.overloadpacket.__name__)
        return returned


def values(name: str, preset: str) -> dict[str, Any]:
    """Of a preset, with few and short steps; a reference has none."""
    steps = {"inner_steps": 2} if "inner_steps" in methods.load(name).Config.model_fields else {}
    return small.options(name, preset, **steps) if preset else small.FEW


REFERENCES = [(name, "") for name in methods.names() if not methods.load(name).presets]
CASES = small.once([*small.presets(), *REFERENCES], values)
"""Every method and reference, once with each set of options that differs when steps are few."""


def build(name: str, preset: str, precision: str) -> Any:
    """A method with untrained networks."""
    return small.make(name, context(precision), values(name, preset))


def context(precision: str) -> Context:
    teacher, student = small.network("wrn10_1", 1), small.network("cnn3_16", 2)
    given = small.context(teacher, student, scale=0.2)
    if precision == "bf16":
        low: dict[str, Any] = {"teacher": FrozenTeacher(lowered(teacher, CPU)), "student": lowered(student, CPU)}
        given = dataclasses.replace(given, **low, build=Streams(0, CPU, "bf16").build)
    return small.with_noise(given)


def calls(method: Method) -> Iterator[Losses]:
    """The losses of two rounds of one step, after the warm-up; some have no synthesis."""
    first = method.schedule.warmup
    for index in range(first):
        method.synthesise(index)
    for index in (first, first + 1):
        yield method.synthesise(index)
        method.begin_round(index, 1)
        yield method.distill_step()


@pytest.mark.parametrize(("name", "preset"), CASES)
def test_losses_stay_near_those_of_fp32(name: str, preset: str) -> None:
    watch, full, low = Watch(), *(build(name, preset, precision) for precision in ("fp32", "bf16"))
    expected = [losses for losses in calls(full) if losses]
    with watch:
        found = [losses for losses in calls(low) if losses]
    assert watch.seen >= {"convolution", "convolution_backward"}
    assert watch.seen <= LAYERS, sorted(watch.seen - LAYERS)
    for number, (mine, theirs) in enumerate(zip(found, expected, strict=True)):
        allowed = (LATER if number else FIRST) * max(abs(float(value)) for value in theirs.values())
        assert {part: float(value) for part, value in mine.items()} == {
            part: pytest.approx(float(value), rel=0, abs=allowed) for part, value in theirs.items()
        }
        assert all(value.dtype == torch.float32 for value in mine.values())
    assert any(not torch.equal(found[0][part], value) for part, value in expected[0].items())


@pytest.mark.parametrize(("name", "preset"), {name: (name, preset) for name, preset in CASES}.values())
def test_what_is_kept_is_fp32(name: str, preset: str) -> None:
    """Weights, moments, priorities, moving statistics, images, answers."""
    method = build(name, preset, "bf16")
    list(calls(method))
    kept = [leaf for leaf in tree_leaves(method.state_dict()) if isinstance(leaf, Tensor) and leaf.is_floating_point()]
    assert kept and {leaf.dtype for leaf in kept} <= {torch.float32, torch.float64}
