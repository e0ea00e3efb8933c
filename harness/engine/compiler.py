"""PyTorch's compiler, loaded by who compiles: to import it takes longer than to import PyTorch.

Every step of `torch.optim` (torch/optim/optimizer.py) and every dispatch mode imports ``torch._dynamo``, only to call
`graph_break` and `disable`, which do nothing to code that is not compiled. What finds shapes (torch/_refs,
torch/_prims_common) imports sympy, only to ask whether plain numbers are symbols.
"""

from __future__ import annotations

import importlib
import operator
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch


def _graph_break(msg: str = "") -> None:
    """Nothing is compiled that could be interrupted."""


def _disable(fn: Callable[..., Any], recursive: bool = True, **options: Any) -> Callable[..., Any]:
    """Nothing is compiled that ``fn`` would have to be kept out of."""
    return fn


NAME = "torch._dynamo"
COMPILER: Mapping[str, Any] = {"graph_break": _graph_break, "disable": _disable}
"""What it answers where nothing is compiled."""
SYMBOLS: Mapping[str, Mapping[str, Any]] = {
    "sympy": {"Basic": type("Basic", (), {})},
    "torch.fx.experimental.symbolic_shapes": {
        **dict.fromkeys(("guard_or_false", "guard_or_true", "guard_size_oblivious", "expect_true"), bool),
        "statically_known_true": bool,
        "sym_eq": operator.eq,
        "sym_and": lambda *values: all(values),
        "sym_or": lambda *values: any(values),
        "is_nested_int": lambda _: False,
        "free_unbacked_symbols": lambda _: set(),
        "has_guarding_hint": lambda _: True,
        "guarding_hint_or_throw": operator.index,
    },
}
"""Module -> what it answers where all sizes are plain numbers."""


class _Deferred(ModuleType):
    """Stands in for a module, and makes room for it when anything else of it is asked for."""

    def __init__(self, name: str, answers: Mapping[str, Any]) -> None:
        super().__init__(name)
        vars(self).update(answers)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and not (name == "__path__" and self.__name__ == NAME):
            raise AttributeError(name)  # `inspect` looks at the file of every module there is
        for other in (NAME, *SYMBOLS) if self.__name__ == NAME else SYMBOLS:  # the compiler needs symbols
            if isinstance(sys.modules.get(other), _Deferred):
                del sys.modules[other]
        found = importlib.import_module(self.__name__)
        if self.__name__ == NAME:
            torch._dynamo = found
        return getattr(found, name)


def defer() -> None:
    """Load the compiler when something is to be compiled, and not before."""
    if NAME not in sys.modules:
        torch._dynamo = sys.modules[NAME] = _Deferred(NAME, COMPILER)


@contextmanager
def plain_sizes() -> Iterator[None]:
    """A block in which all sizes are plain numbers: nothing that calculates with symbols is loaded."""
    standing_in = {name: _Deferred(name, answers) for name, answers in SYMBOLS.items() if name not in sys.modules}
    sys.modules.update(standing_in)
    try:
        yield
    finally:
        for name, module in standing_in.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
