"""What a step is made of: the operations on its device, in order, with all that decides them but the tensors' content.

Where two steps have the same record, one that was recorded can be played again in place of the other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

Operation = tuple[object, ...]
"""Name, then every argument: a constant, or shape, strides and type of a tensor; and of one that is older than the step
also where it lies."""
Result = TypeVar("Result")

READING = ("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim", "equal", "is_nonzero")
"""Operations that hand a number to Python, or whose result has a shape that depends on numbers."""


class NotFixed(ValueError):
    """A step does what no other can repeat without Python."""


def recorded(step: Callable[[], Result]) -> tuple[Result, list[Operation]]:
    """What ``step`` returns, and what it did. Raises NotFixed for what is another thing every time."""
    with _Recorder() as recorder:
        hook = register_optimizer_step_pre_hook(_require_moving_rate)
        try:
            return step(), recorder.operations
        finally:
            hook.remove()


def difference(one: list[Operation], other: list[Operation]) -> str | None:
    """The first place where two steps differ, in words; None if they are the same."""
    for number, (mine, theirs) in enumerate(zip(one, other, strict=False), 1):
        if mine[0] != theirs[0]:
            return f"operation {number} is {mine[0]} in one step and {theirs[0]} in another"
        if mine != theirs:
            pairs = zip(mine[1:], theirs[1:], strict=False)
            values = next((pair for pair in pairs if pair[0] != pair[1]), (len(mine), len(theirs)))
            return f"operation {number}, {mine[0]}, has {values[0]} in one step and {values[1]} in another"
    if len(one) != len(other):
        return f"one step has {len(one)} operations and another {len(other)}"
    return None


def _require_moving_rate(optimizer: torch.optim.Optimizer, *_: object) -> None:
    if any(not isinstance(group["lr"], Tensor) for group in optimizer.param_groups):
        raise NotFixed(
            f"the learning rate of its {type(optimizer).__name__} is a number of Python's; "
            "methods/parts/optimizers.py makes one whose rate is on the device"
        )


class _Recorder(TorchDispatchMode):
    """Writes down every operation, those of the backward pass and of optimizers included."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []
        self._made: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func.namespace == "profiler":
            return func(*args, **kwargs)
        if func.overloadpacket.__name__ in READING:
            raise NotFixed(f"it reads the device inside a step: {func}")
        leaves = tree_leaves((args, kwargs))
        self.operations.append((str(func), *(self._described(func, leaf) for leaf in leaves)))
        result = func(*args, **kwargs)
        given = {_place(leaf) for leaf in leaves if isinstance(leaf, Tensor)}
        self._made |= {_place(leaf) for leaf in tree_leaves(result) if isinstance(leaf, Tensor)} - given
        return result

    def _described(self, func: Any, value: Any) -> object:
        if isinstance(value, torch.Generator):
            raise NotFixed(f"it draws random numbers inside a step: {func}; begin_round is where they are drawn")
        if not isinstance(value, Tensor):
            return value
        where = None if (place := _place(value)) in self._made else (place, value.storage_offset())
        return tuple(value.shape), value.stride(), value.dtype, where


def _place(tensor: Tensor) -> int:
    """Where the tensor's memory begins."""
    return tensor.untyped_storage().data_ptr()
