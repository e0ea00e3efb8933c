"""Methods at work without calculating: tensors that have a shape and no content, on PyTorch's device ``meta``.

What an operation returns follows from shapes alone, and networks repeat theirs: each outcome is found once and
remembered. A step of a ResNet-34 takes a twentieth of a second then, and no memory.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten
from torch.utils.flop_counter import flop_registry

from harness.engine import compiler

META = torch.device("meta")


@contextmanager
def alone() -> Iterator[Counter]:
    """A block that calculates nothing with what lies on ``meta``; yields what counts the operations it would take.

    A number that is read is 1. What needs the content of a tensor, such as a mask as an index, raises an error.
    """
    compiler.defer()
    with _WithoutGenerators(), Counter() as counter:
        yield counter


class _WithoutGenerators(TorchFunctionMode):
    """Draws on ``meta``, which knows no generators: what is drawn has no content either."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if not kwargs:
            return 1 if func is Tensor.item and args[0].is_meta else func(*args)
        given = {name: value for name, value in kwargs.items() if name != "generator"}
        return func(*args, **(given | {"device": META} if "device" in given else given))


class Counter(TorchDispatchMode):
    """Adds up floating-point operations by PyTorch's own formulas, and finds every outcome once."""

    total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        kind = _kind(func)
        if kind is _Kind.WRITES:
            return args[0]  # it changes content, of which there is none
        if kind is _Kind.OTHER:
            return func(*args, **kwargs)
        key = func, _described(args), _described(tuple(kwargs.items()))
        if (outcome := _outcomes.get(key)) is None:
            outcome = _outcomes[key] = _Outcome.of(func, args, kwargs)
        self.total += outcome.operations
        return outcome.again()


class _Kind(enum.Enum):
    PURE = enum.auto()
    WRITES = enum.auto()
    OTHER = enum.auto()
    """Views, and what is none of tensors."""


@functools.cache
def _kind(func: Any) -> _Kind:
    if func._schema.is_mutable and func._schema.name.endswith("_"):
        return _Kind.WRITES
    shares = any(argument.alias_info for argument in func._schema.arguments)
    return _Kind.OTHER if shares or func.namespace != "aten" else _Kind.PURE


@dataclass(frozen=True)
class _Outcome:
    """What an operation returns for arguments of certain shapes, and how many operations it takes."""

    tensors: tuple[tuple[torch.Size, tuple[int, ...], torch.dtype] | None, ...]
    """Shape, strides and type of each; None for what is none."""
    spec: TreeSpec
    operations: int

    @classmethod
    def of(cls, func: Any, args: Any, kwargs: Any) -> _Outcome:
        """Of a call that is carried out."""
        returned, formula = func(*args, **kwargs), flop_registry.get(func._overloadpacket)
        leaves, spec = tree_flatten(returned)
        kinds = ((one.shape, one.stride(), one.dtype) if isinstance(one, Tensor) else None for one in leaves)
        return cls(tuple(kinds), spec, formula(*args, **kwargs, out_val=returned) if formula else 0)

    def again(self) -> Any:
        """What it returned, new."""
        made = [one and torch.empty_strided(*one[:2], dtype=one[2], device=META) for one in self.tensors]
        return made[0] if self.spec.is_leaf() else tree_unflatten(made, self.spec)


_outcomes: dict[Any, _Outcome] = {}
"""By operation and arguments: the same for every network and method."""


def _described(value: Any) -> Any:
    """Arguments as far as they decide what is returned."""
    if isinstance(value, Tensor):
        return value.shape, value.stride(), value.dtype, value.device
    return tuple([_described(one) for one in value]) if isinstance(value, (list, tuple)) else value
