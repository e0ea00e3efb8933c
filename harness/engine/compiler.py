"""PyTorch's compiler, loaded by who compiles: to import it takes longer than to import PyTorch.

Every step of `torch.optim` (torch/optim/optimizer.py) and every dispatch mode imports ``torch._dynamo``, and with it
sympy, only to call `graph_break` and `disable`, which do nothing to code that is not compiled.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch

NAME = "torch._dynamo"


class _Deferred(ModuleType):
    """Stands in for the compiler, and makes room for it when anything else of it is asked for."""

    @staticmethod
    def graph_break(msg: str = "") -> None:
        """Nothing is compiled that could be interrupted."""

    @staticmethod
    def disable(fn: Callable[..., Any], recursive: bool = True, **options: Any) -> Callable[..., Any]:
        """Nothing is compiled that ``fn`` would have to be kept out of."""
        return fn

    def __getattr__(self, name: str) -> Any:
        if sys.modules.get(NAME) is self:
            del sys.modules[NAME]
            torch._dynamo = importlib.import_module(NAME)
        return getattr(sys.modules[NAME], name)


def defer() -> None:
    """Load the compiler when something is to be compiled, and not before."""
    if NAME not in sys.modules:
        torch._dynamo = sys.modules[NAME] = _Deferred(NAME)
