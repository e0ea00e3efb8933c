"""What a cell will cost, judged by one small round on the CPU: operations, and memory on its device."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from harness import data, networks
from harness.data.dataset import Dataset
from harness.engine.flops import FlopClock, count_flops
from harness.errors import UserError
from harness.grid.cell import Cell
from harness.run.assemble import build_method, method_config
from harness.store.layout import scale_text
from harness.store.records import Flops
from methods.base.method import Method, MethodConfig
from methods.base.task import RealImages

SMALL = 2
"""Images per batch of the round that is counted: batch norm needs two."""
HEADROOM = 1.25
"""Peak over what autograd keeps: gradients of activations, workspace of convolutions. Our choice."""
CPU = torch.device("cpu")


@dataclass(frozen=True)
class Cost:
    """Of a whole run; rough, for plans and warnings."""

    flops: Flops
    resident: int
    """Bytes that a run holds all the time: networks, optimizers, images."""
    activations: int
    """Bytes that grow with the batch, at the peak."""

    @property
    def memory(self) -> int:
        """Bytes at the peak."""
        return self.resident + self.activations


def estimate(cell: Cell) -> Cost | None:
    """The cost of one cell; None if its method fails already in the round that would tell.

    Raises ConfigError like `method_config`.
    """
    config = method_config(cell)
    try:
        unit = _unit(replace(cell, scale=1.0, seed=0))
    except Exception:  # noqa: BLE001 - whatever a method's file raises: the run will tell it, with its traceback
        return None
    full = _build(cell, config)
    inner = getattr(config, "inner_steps", 1)
    made = getattr(config, "inversion_batch", config.batch) / SMALL
    drawn = config.batch / SMALL
    flops = Flops(
        synthesis=round(unit.flops.synthesis * made * inner * full.schedule.synthesis_rounds),
        distillation=round(unit.flops.distillation * drawn * full.schedule.steps),
    )
    activations = max(unit.activations["synthesis"] * made, unit.activations["distillation"] * drawn)
    return Cost(flops, resident(full), round(HEADROOM * activations))


def check_memory(cell: Cell, available: int) -> None:
    """Raise UserError if the cell needs more than ``available`` bytes: what it needs, and which batch would fit."""
    cost = estimate(cell)
    if cost is None or cost.memory <= available:
        return
    config = method_config(cell)
    share = max(0, available - cost.resident) / cost.activations
    batches = {name: getattr(config, name) for name in ("batch", "inversion_batch") if hasattr(config, name)}
    fitting = ", ".join(f"{name}: {int(share * size)} instead of {size}" for name, size in batches.items())
    fix = f"this would fit: {fitting}" if share * min(batches.values()) >= SMALL else "no batch would fit"
    raise UserError(
        f"{cell.label} on {cell.pair} at {scale_text(cell.scale)} % needs about {_gib(cost.memory)}, "
        f"the device has {_gib(available)}\n  {fix}"
    )


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"


@dataclass(frozen=True)
class _Unit:
    """One call of `synthesise` with one inner step, and one `distill_step`, with small batches."""

    flops: Flops
    activations: Mapping[str, int]


@functools.cache
def _unit(cell: Cell) -> _Unit:
    """Asked for once for all seeds and scales of a label: the caller leaves them out of the cell."""
    config = method_config(cell)
    wanted = {"batch": SMALL, "inversion_batch": SMALL, "inner_steps": 1}
    small = config.model_copy(update={name: value for name, value in wanted.items() if hasattr(config, name)})
    clock = CostClock()

    def build(steps: int) -> Method:
        return _build(cell, small.model_copy(update={"steps": 100 * steps}))

    flops = count_flops(build, 1, 1, clock)
    return _Unit(flops, clock.saved)


@dataclass
class CostClock(FlopClock):
    """Counts operations, and what autograd keeps for the backward pass, by phase."""

    saved: dict[str, int] = field(default_factory=lambda: {"synthesis": 0, "distillation": 0})

    @contextmanager
    def _count(self, phase: str) -> Iterator[None]:
        kept: dict[int, int] = {}

        def keep(tensor: Tensor) -> Tensor:
            owner = tensor if tensor._base is None else tensor._base
            if not isinstance(owner, nn.Parameter):
                kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor), super()._count(phase):
            yield
        self.saved[phase] = max(self.saved[phase], sum(kept.values()))


def _build(cell: Cell, config: MethodConfig) -> Method:
    """The method on the CPU, with an untrained teacher and, for references, images of zeros."""
    return build_method(cell, config, _without_images(cell), _teacher(cell.teacher_network, cell.dataset), CPU)


@functools.cache
def _teacher(network: str, dataset: str) -> nn.Module:
    """Untrained; methods work on a copy."""
    return networks.for_task(network, data.load(dataset).task).eval()


def _without_images(cell: Cell) -> Dataset:
    loaded = data.load(cell.dataset, cell.verify)
    n = loaded.task.images(cell.share)
    places = (n, *loaded.task.shape[1:]) if loaded.task.dense else (n,)
    kind = torch.uint8 if loaded.task.dense else torch.int64
    zero = torch.zeros(1, dtype=torch.uint8)
    zeros = RealImages(zero.expand(n, *loaded.task.shape), zero.to(kind).expand(places))
    return replace(loaded, train=lambda: zeros, test=lambda: zeros)


def resident(method: Method) -> int:
    """Bytes of the method's state, of the teacher, and of the student's gradients and momentum."""
    context = method.context
    student = sum(parameter.nbytes for parameter in context.student.parameters())
    return _bytes(method.state_dict()) + context.teacher.nbytes + 2 * student


def _bytes(state: Any) -> int:
    if isinstance(state, Tensor):
        return state.nbytes
    if isinstance(state, Mapping):
        return sum(_bytes(value) for value in state.values())
    return sum(_bytes(value) for value in state) if isinstance(state, list | tuple) else 0
