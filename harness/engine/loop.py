"""The loop: rounds, evaluations, events and checkpoints. It knows no method by name."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn

from harness.engine import checkpoint
from harness.engine.clock import Clock
from harness.engine.evaluate import Evaluator
from harness.engine.randomness import global_randomness
from harness.errors import UserError
from harness.machine import card
from harness.store.atomic import append_events
from harness.store.layout import RunFolder
from harness.store.records import Event
from methods.base.method import Losses, Method


class Diverged(Exception):
    """A loss is no longer a finite number."""


class MethodFailed(Exception):
    """An exception inside a method; the text says what and where."""


@contextmanager
def inside_method() -> Iterator[None]:
    """Turn an exception of the method into MethodFailed.

    Out of memory, full disks and other trouble of the machine pass through: they say nothing about the method.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError, OSError, UserError):
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        raise MethodFailed(f"{type(error).__name__}: {error} ({Path(frame.filename).name}:{frame.lineno})") from error


@dataclass
class Means:
    """Sums of named 0-dim tensors, on the device until somebody asks."""

    sums: dict[str, torch.Tensor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, losses: list[Losses]) -> None:
        """Add the losses of several calls."""
        for name in dict.fromkeys(name for entry in losses for name in entry):
            values = torch.stack([entry[name].detach().double() for entry in losses if name in entry])
            self.sums[name] = self.sums.get(name, 0.0) + values.sum()
            self.counts[name] = self.counts.get(name, 0) + len(values)

    def take(self) -> dict[str, float]:
        """The means, read from the device; starts again from nothing."""
        means = {name: float(total) / self.counts[name] for name, total in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means


@dataclass
class Ledger:
    """What has happened so far: the part of a run's state that is not the method's."""

    next_round: int = 0
    step: int = 0
    synthesis_calls: int = 0
    energy: float | None = None
    """Joules between the first round and the last checkpoint."""
    device_sharers: int | None = None
    """Most other processes that were seen on the card."""
    events: list[Event] = field(default_factory=list)
    """All events so far; the file holds those that a checkpoint covers."""


class Engine:
    """Runs one method to its end, from wherever its last checkpoint stands.

    Args:
        method: built, not yet started.
        evaluator: scores the student at the end of every epoch.
        folder: of the run; receives checkpoint and events.
        device: where the method lives.
        checkpoint_seconds: a checkpoint is due at the first round boundary after this many seconds.
        on_round: called after every round with the engine, to show progress.
    """

    def __init__(
        self,
        method: Method,
        evaluator: Evaluator,
        folder: RunFolder,
        device: torch.device,
        checkpoint_seconds: float,
        on_round: Callable[[Engine], None] = lambda engine: None,
    ) -> None:
        self.method, self.evaluator, self.device = method, evaluator, device
        self.clock, self.ledger = Clock(device), Ledger()
        self.folder, self.checkpoint_seconds, self.on_round = folder, checkpoint_seconds, on_round
        self._synthesis, self._distillation = Means(), Means()
        self._drops = any(isinstance(module, nn.Dropout) for module in method.context.student.modules())
        self._saved_at, self._joules = time.monotonic(), card.joules(device)

    def resume(self) -> bool:
        """Continue from the checkpoint, if there is one. Raises UserError if it is damaged."""
        state = checkpoint.load(self.folder.checkpoint, self.device)
        if state is None:
            # Without a checkpoint nothing is covered: events are of a run whose checkpoint was removed by hand.
            self.folder.events.unlink(missing_ok=True)
            return False
        with inside_method():
            self.method.load_state_dict(state["method"])
        ledger = state["ledger"]
        self.ledger = Ledger(**{**ledger, "events": [Event(**event) for event in ledger["events"]]})
        self.clock.load_state_dict(state["clock"])
        self._synthesis, self._distillation = Means(**state["synthesis"]), Means(**state["distillation"])
        self._flush()
        return True

    def run(self) -> None:
        """All remaining rounds. Raises Diverged or MethodFailed."""
        self._look_at_card()
        for index in range(self.ledger.next_round, self.method.schedule.rounds):
            self._round(index)
            if self.method.schedule.closes_epoch(index):
                self._evaluate(index)
            self.on_round(self)
            if time.monotonic() - self._saved_at >= self.checkpoint_seconds:
                self.save()
        self.save()

    def save(self) -> None:
        """Write a checkpoint, then the events it covers."""
        # In this order: an event that is on disk then never has to be taken back, and those that a kill kept from the
        # disk are in the checkpoint, from which the next process appends them.
        self._look_at_card()
        checkpoint.save(self.folder.checkpoint, self._state())
        self._flush()
        self._saved_at = time.monotonic()

    def _round(self, index: int) -> None:
        # Only a student with dropout needs the global generators, and setting them is not for nothing.
        dropout = global_randomness(self.method.context.random("dropout", index)) if self._drops else nullcontext()
        with inside_method(), dropout:
            losses = self.method.round(index, self.clock)
        self._synthesis.add(losses.synthesis)
        self._distillation.add(losses.distillation)
        self.ledger.step += len(losses.distillation)
        self.ledger.synthesis_calls += len(losses.synthesis)
        self.ledger.next_round = index + 1

    def _evaluate(self, index: int) -> None:
        synthesis, distillation = self._synthesis.take(), self._distillation.take()
        for name, value in {**synthesis, **distillation}.items():
            if not math.isfinite(value):
                raise Diverged(f"{name} is {value} in round {index + 1} of {self.method.schedule.rounds}")
        with self.clock.evaluation():
            score = self.evaluator(self.method.context.student)
        self.ledger.events.append(
            Event(
                n=len(self.ledger.events),
                epoch=self.method.schedule.epoch(index),
                round=index,
                step=self.ledger.step,
                time=time.time(),
                seconds=self.clock.seconds,
                cpu_seconds=self.clock.cpu_seconds,
                metric=score.metric,
                agreement=score.agreement,
                synthesis=synthesis,
                distillation=distillation,
            )
        )

    def _look_at_card(self) -> None:
        ledger, before, self._joules = self.ledger, self._joules, card.joules(self.device)
        if before is not None and self._joules is not None:
            ledger.energy = (ledger.energy or 0.0) + self._joules - before
        if (sharers := card.sharers(self.device)) is not None:
            ledger.device_sharers = max(sharers, ledger.device_sharers or 0)

    def _state(self) -> dict[str, Any]:
        ledger = {**vars(self.ledger), "events": [event.model_dump() for event in self.ledger.events]}
        return {
            "method": self.method.state_dict(),
            "ledger": ledger,
            "clock": self.clock.state_dict(),
            "synthesis": vars(self._synthesis),
            "distillation": vars(self._distillation),
        }

    def _flush(self) -> None:
        """Append the events that the checkpoint just written, or just read, covers."""
        append_events(self.folder.events, self.ledger.events)
