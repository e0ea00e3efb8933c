"""The clock: seconds of synthesis and distillation, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


class Clock:
    """Sums the seconds spent in each phase.

    On a GPU a phase is measured by two events in the stream, so that timing it does not wait for the device; `settle`
    waits, once per evaluation, checkpoint or line of progress. On a CPU it is the wall clock.
    """

    def __init__(self, device: torch.device) -> None:
        self.seconds = {"synthesis": 0.0, "distillation": 0.0}
        self._cuda = device.type == "cuda"
        self._running: str | None = None
        self._pending: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def synthesis(self) -> Iterator[None]:
        """Time the making and storing of images."""
        with self._phase("synthesis"):
            yield

    @contextmanager
    def distillation(self) -> Iterator[None]:
        """Time the training of the student."""
        with self._phase("distillation"):
            yield

    def settle(self) -> None:
        """Wait for the device and add up the phases that were measured since the last call."""
        if self._pending:
            torch.cuda.synchronize()
        for name, start, end in self._pending:
            self.seconds[name] += start.elapsed_time(end) / 1000
        self._pending.clear()

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        if self._running is not None:
            raise RuntimeError(f"the clock already runs for {self._running}; phases do not nest")
        self._running = name
        stop = self._start_events(name) if self._cuda else self._start_wall(name)
        try:
            yield
        finally:
            stop()
            self._running = None

    def _start_wall(self, name: str) -> Callable[[], None]:
        start = time.perf_counter()

        def stop() -> None:
            self.seconds[name] += time.perf_counter() - start

        return stop

    def _start_events(self, name: str) -> Callable[[], None]:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()

        def stop() -> None:
            end.record()
            self._pending.append((name, start, end))

        return stop
