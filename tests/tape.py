"""A stand-in for CUDA graphs on the CPU: operations on tensors are kept, and done again on the same memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from methods.base.method import Losses


class Tape(TorchDispatchMode):
    """Like a graph it knows nothing of Python: what was a number or an address when it was kept stays what it was."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: list[tuple[Any, Any, Any, list[Tensor]]] = []
        self._before: dict[int, tuple[Any, Any]] = {}
        self._made: set[int] = set()

    def capture(self, step: Callable[[], Losses]) -> Losses:
        """Carry out ``step``, then put all memory back that it found."""
        with self:
            losses = step()
        for storage, content in self._before.values():
            storage.copy_(content)
        return losses

    @torch.no_grad()
    def replay(self) -> None:
        """Do it again."""
        for func, args, kwargs, results in self._kept:
            for place, result in zip(results, _tensors(func(*args, **kwargs)), strict=True):
                if place.data_ptr() != result.data_ptr():  # the same where it is a view, or written in place
                    place.copy_(result)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = {tensor.untyped_storage().data_ptr(): tensor for tensor in _tensors((args, kwargs))}
        for place in given.keys() - self._made - self._before.keys():
            storage = given[place].untyped_storage()
            self._before[place] = storage, storage.clone()
        result = func(*args, **kwargs)
        if func.namespace != "profiler":
            self._kept.append((func, args, kwargs, _tensors(result)))
            self._made |= {tensor.untyped_storage().data_ptr() for tensor in _tensors(result)} - given.keys()
        return result


def _tensors(value: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, Tensor)]
