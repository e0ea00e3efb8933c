"""What a card refuses, and what makes the host wait for it, told from an operation and its arguments.

The rules are CUDA's: tensors of one operation lie on one device, but for those without dimensions, which may come from
the host as numbers into what is calculated element by element.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

READS = (
    *("_local_scalar_dense", "nonzero", "masked_select", "_unique", "unique_dim", "unique_consecutive", "equal"),
    *("is_nonzero", "bincount", "argwhere", "histogram"),
)
"""How operations begin whose result, or its shape, the host has to know."""
MOVES = ("copy_", "_to_copy", "_foreach_copy_")
"""What takes content from one device to another."""
NUMBERS = ("fill_", "index_put_", "index_put")
"""What takes a number from the host, beside what is calculated element by element."""


class Mistake(RuntimeError):
    """What fails on a card, or makes the host wait for it."""


class MixedDevices(Mistake):
    """An operation on tensors of two devices, or with a generator of another device than what it draws."""


class Waits(Mistake):
    """Inside a phase the host waits for the card: to read from it, or to copy to it."""


_phases: list[str] = []


@contextmanager
def phase(name: str) -> Iterator[None]:
    """A block in which nothing may wait for the card."""
    _phases.append(name)
    try:
        yield
    finally:
        _phases.pop()


@contextmanager
def suspended() -> Iterator[None]:
    """A block in which the host may wait, though a phase is around it."""
    around, _phases[:] = list(_phases), []
    try:
        yield
    finally:
        _phases[:] = around


def check(func: Any, here: Sequence[Tensor], elsewhere: Sequence[Tensor], target: torch.device | None) -> None:
    """Raise Mistake if a card refused an operation, or if the host waited for it inside a phase.

    Args:
        func: the operation.
        here: its tensors on the card.
        elsewhere: its tensors on the host.
        target: where it shall put what it returns, if it is told.
    """
    name = func.overloadpacket.__name__
    if name not in MOVES:
        if here and (strangers := [tensor for tensor in elsewhere if not _is_number(func, name, tensor)]):
            shapes = ", ".join(str(list(tensor.shape)) for tensor in strangers)
            raise MixedDevices(f"{name} takes tensors of the card, and from the host some of shape {shapes}")
    elif _phases and (elsewhere or (here and target is not None and target.type == "cpu")):
        raise Waits(f"{name} between host and card in {_phases[-1]}")
    if _phases and (name.startswith(READS) or _masked(name, here)):
        raise Waits(f"{name} in {_phases[-1]} has to know what the card calculated")


def _is_number(func: Any, name: str, tensor: Tensor) -> bool:
    pointwise = torch.Tag.pointwise in func.tags or name.startswith("_foreach")
    return not tensor.dim() and (pointwise or name in NUMBERS)


def _masked(name: str, here: Sequence[Tensor]) -> bool:
    """Whether a mask is an index: how many entries it picks is known to the card alone."""
    return name in ("index", "index_put", "index_put_") and any(tensor.dtype == torch.bool for tensor in here[1:])
