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
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.optim.optimizer import register_optimizer_step_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import TreeSpec, tree_flatten, tree_unflatten
from torch.utils.flop_counter import flop_registry

from harness.engine import compiler

META = torch.device("meta")
WEIGHT_BY_WEIGHT = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
"""Optimizers without a matrix product or a convolution."""


@contextmanager
def alone() -> Iterator[Counter]:
    """A block that calculates nothing with what lies on ``meta``; yields what counts the operations it would take.

    A number that is read is 1. What needs the content of a tensor, such as a mask as an index, raises an error.
    """
    compiler.defer()
    hook = register_optimizer_step_pre_hook(_nothing_to_learn)
    try:
        with compiler.plain_sizes(), Counter() as counter:
            yield counter
    finally:
        hook.remove()


Step = tuple[tuple[Any, ...], dict[str, Any]]
"""Arguments of an optimizer's step, the optimizer itself the first of them."""


def _nothing_to_learn(optimizer: torch.optim.Optimizer, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Step | None:
    """The step of an optimizer without weights, where it would take no operation that counts."""
    kind = type(optimizer)
    return ((_idle(kind), *args[1:]), kwargs) if kind in WEIGHT_BY_WEIGHT else None


@functools.cache
def _idle(kind: type[torch.optim.Optimizer]) -> torch.optim.Optimizer:
    return kind([torch.empty(0)])  # type: ignore[call-arg]


@dataclass
class Counted:
    """Operations of a block, at its end."""

    total: int = 0


class Counter(TorchDispatchMode):
    """Adds up floating-point operations by PyTorch's own formulas, and finds every outcome once."""

    total = 0
    guessed = False
    """Whether a number was read."""
    _at_work: ClassVar[list[Counter]] = []

    def __enter__(self) -> Counter:
        self._at_work.append(self)
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._at_work.pop()

    @classmethod
    def active(cls) -> Counter:
        """The innermost that is at work."""
        return cls._at_work[-1]

    @contextmanager
    def apart(self) -> Iterator[Counted]:
        """A block whose operations are told, and not added up."""
        before, counted = self.total, Counted()
        try:
            yield counted
        finally:
            counted.total, self.total = self.total - before, before

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kind = _kind(func)
        if kind is _Kind.WRITES and _has_no_content(args[0]):
            return args[0] if func._schema.returns else None  # it changes content, of which there is none
        if kind is _Kind.READS and args[0].is_meta:
            self.guessed = True
            return torch.ones((), dtype=args[0].dtype).item()
        kwargs = _without_generator(kwargs) if kwargs else {}
        if kind is not _Kind.PURE:
            return func(*args, **kwargs)
        key = func, _described(args), _described(tuple(kwargs.items())) if kwargs else ()
        if (outcome := _outcomes.get(key)) is None:
            outcome = _outcomes[key] = _Outcome.of(func, args, kwargs)
        self.total += outcome.operations
        return outcome.again()


def _has_no_content(value: Any) -> bool:
    """A tensor, or the first of several that are written to at once."""
    return bool((value if isinstance(value, Tensor) else value[0]).is_meta)


def _without_generator(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Draws on ``meta``, which knows no generators: what is drawn has no content either."""
    if kwargs.get("generator") is None:
        return kwargs
    return kwargs | {"generator": None} | ({"device": META} if "device" in kwargs else {})


class _Kind(enum.Enum):
    PURE = enum.auto()
    WRITES = enum.auto()
    READS = enum.auto()
    OTHER = enum.auto()
    """Views, and what is none of tensors."""


@functools.cache
def _kind(func: Any) -> _Kind:
    if func._schema.is_mutable and func._schema.name.endswith("_"):
        return _Kind.WRITES
    if func is torch.ops.aten._local_scalar_dense.default:
        return _Kind.READS
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
    return tuple(
        [
            (one.shape, one.stride(), one.dtype, one.is_meta)
            if isinstance(one, Tensor)
            else _described(one)
            if isinstance(one, (list, tuple))
            else one
            for one in value
        ]
    )
