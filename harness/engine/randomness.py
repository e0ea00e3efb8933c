"""Randomness as an argument, by (seed, stream, index), so that a resumed run needs no saved state."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from harness.engine.lowered import lowered
from harness.store.bounds import Precision
from methods.base.method import ModuleT


@contextmanager
def global_randomness(random: torch.Generator) -> Iterator[None]:
    """Let PyTorch's global generators begin where ``random`` began, for a block; then restore them.

    For what knows no other generators: dropout.
    """
    with torch.random.fork_rng(devices=[random.device] if random.device.type == "cuda" else []):
        torch.manual_seed(random.initial_seed())
        yield


class Streams:
    """The random streams of one run.

    A stream's name says what it is for, its index which round; turning evaluation or logging off shifts nothing. No
    stream depends on the method's name or on any key, so that equal seeds pair the methods.
    """

    def __init__(self, seed: int, device: torch.device, precision: Precision = "fp32") -> None:
        self.seed, self.device, self.precision = seed, device, precision

    def random(self, stream: str, index: int = 0) -> torch.Generator:
        """Randomness on the run's device."""
        return torch.Generator(self.device).manual_seed(self._number(stream, index))

    def build(self, stream: str, make: Callable[[], ModuleT], index: int = 0) -> ModuleT:
        """The module that ``make`` returns, on the run's device and in its precision, its weights drawn on the CPU.

        In channels_last: convolutions then answer in that format, in which they are faster.

        Global generators are left as they were: the CPU's is put back, and a card's, which dropout draws from, is not
        touched.
        """
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(self._number(stream, index))
            made = make().to(self.device).to(memory_format=torch.channels_last)
        return lowered(made, self.device) if self.precision == "bf16" else made

    def _number(self, stream: str, index: int) -> int:
        digest = hashlib.sha256(f"{self.seed}/{stream}/{index}".encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1
