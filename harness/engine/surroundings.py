"""What a method leaves as it finds it: the process around it, which other code counts on."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import torch

from harness.errors import clean

SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[Any], object]]] = {
    "the working directory": (os.getcwd, os.chdir),
    "torch's number of threads": (torch.get_num_threads, torch.set_num_threads),
    "whether torch computes gradients": (torch.is_grad_enabled, torch.set_grad_enabled),
    "torch's default type": (torch.get_default_dtype, torch.set_default_dtype),
    "whether torch is deterministic": (
        torch.are_deterministic_algorithms_enabled,
        torch.use_deterministic_algorithms,
    ),
    "Python's recursion limit": (sys.getrecursionlimit, sys.setrecursionlimit),
    "torch's global random generator": (
        lambda: torch.get_rng_state().numpy().tobytes(),
        lambda state: torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8)),
    ),
}
"""What it is -> how it is asked for and set. Records would go elsewhere, or numbers would not come again."""


@contextlib.contextmanager
def left_alone() -> Iterator[list[str]]:
    """Put back what the block changes; gives the names of it, once the block has ended.

    What the block prints is cleaned: a method's terminal codes do not reach the terminal.
    """
    before = {name: ask() for name, (ask, _) in SETTINGS.items()}
    changes: list[str] = []
    try:
        with _cleaned():
            yield changes
    finally:
        for name, (ask, put) in SETTINGS.items():
            if ask() != before[name]:
                changes.append(name)
                put(before[name])


@contextlib.contextmanager
def _cleaned() -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (stream and _Clean(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Clean:
    """A stream that only clean text gets through to."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Pass on ``text``, cleaned."""
        self._stream.write(clean(text))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Pass on ``lines``, cleaned."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)
