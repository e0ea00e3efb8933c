"""The clock: where a run's seconds went, on the wall and on the processor's cores."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Self

import torch

from harness.store.records import Seconds


class Elapsed(NamedTuple):
    """A span of time."""

    wall: float = 0.0
    """Seconds on the wall; on a GPU, of a phase, between two events in its stream."""
    cpu: float = 0.0
    """Seconds that all threads of the process together spent on cores: other processes do not add to them."""

    @classmethod
    def now(cls) -> Self:
        """A reading, of which differences count."""
        return cls(time.perf_counter(), time.process_time())

    def since(self, start: Elapsed) -> Elapsed:
        """From ``start`` to this reading."""
        return Elapsed(self.wall - start.wall, self.cpu - start.cpu)

    def plus(self, other: Elapsed) -> Elapsed:
        """Both together."""
        return Elapsed(self.wall + other.wall, self.cpu + other.cpu)


class Clock:
    """Sums what each phase of a run takes; phases are named like the fields of `Seconds`.

    On a GPU synthesis and distillation are measured by two events in the stream, so that timing them does not wait for
    the device; `settle` waits, once per evaluation, checkpoint or line of progress.
    """

    def __init__(self, device: torch.device) -> None:
        self._spent = dict.fromkeys(Seconds.model_fields, Elapsed())
        self._cuda = device.type == "cuda"
        self._running: str | None = None
        self._pending: list[tuple[str, torch.cuda.Event, torch.cuda.Event]] = []

    @contextmanager
    def synthesis(self) -> Iterator[None]:
        """Time the making and storing of images."""
        with self._phase("synthesis", self._cuda):
            yield

    @contextmanager
    def distillation(self) -> Iterator[None]:
        """Time the training of the student."""
        with self._phase("distillation", self._cuda):
            yield

    @contextmanager
    def evaluation(self) -> Iterator[None]:
        """Time what is measured of the student; ends when the device has ended."""
        self.settle()
        with self._phase("evaluation", events=False):
            yield

    def book(self, phase: str, elapsed: Elapsed) -> None:
        """Add time that was measured elsewhere."""
        self._spent[phase] = self._spent[phase].plus(elapsed)

    def settle(self) -> None:
        """Wait for the device and add up the phases that were measured since the last call."""
        if self._pending:
            torch.cuda.synchronize()
        for name, start, end in self._pending:
            self.book(name, Elapsed(wall=start.elapsed_time(end) / 1000))
        self._pending.clear()

    @property
    def seconds(self) -> Seconds:
        """Totals so far on the wall; waits for the device."""
        self.settle()
        return Seconds(**{name: elapsed.wall for name, elapsed in self._spent.items()})

    @property
    def cpu_seconds(self) -> Seconds:
        """Totals so far on the cores."""
        return Seconds(**{name: elapsed.cpu for name, elapsed in self._spent.items()})

    def state_dict(self) -> dict[str, list[float]]:
        """For a checkpoint; waits for the device."""
        self.settle()
        return {name: list(elapsed) for name, elapsed in self._spent.items()}

    def load_state_dict(self, state: Mapping[str, Sequence[float]]) -> None:
        """Go on from a checkpoint."""
        self._spent = {name: Elapsed(*state[name]) for name in self._spent}

    @contextmanager
    def _phase(self, name: str, events: bool) -> Iterator[None]:
        if self._running is not None:
            raise RuntimeError(f"the clock already runs for {self._running}; phases do not nest")
        self._running, start = name, Elapsed.now()
        stop = self._start_events(name) if events else None
        try:
            yield
        finally:
            spent = Elapsed.now().since(start)
            self.book(name, Elapsed(cpu=spent.cpu) if stop else spent)
            if stop:
                stop()
            self._running = None

    def _start_events(self, name: str) -> Callable[[], None]:
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()

        def stop() -> None:
            end.record()
            self._pending.append((name, start, end))

        return stop
