"""The loop: rounds, evaluations, events and checkpoints. It knows no method by name."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from harness.engine import checkpoint
from harness.engine.clock import Clock
from harness.engine.evaluate import Evaluator
from harness.engine.failures import Diverged, MethodFailed, inside_method
from harness.engine.losses import Means, check
from harness.engine.randomness import global_randomness
from harness.errors import UserError
from harness.machine import card
from harness.store.atomic import append_events
from harness.store.layout import RunFolder
from harness.store.records import Event
from methods.base.method import Method


class NoResume(UserError):
    """A checkpoint that a run cannot go on from."""


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


MINUTE = 60.0
"""Seconds between checkpoints, our choice: what a kill costs, beside the round that it falls in."""
WRITING = 0.05
"""Share of the time that may go into writing them, our choice: SpaceshipNet's at 100 % of CIFAR are of 21 GB."""


class Engine:
    """Runs one method to its end, from wherever its last checkpoint stands.

    Args:
        method: built, not yet started.
        evaluator: scores the student at the end of every epoch.
        folder: of the run; receives checkpoint and events.
        device: where the method lives.
        checkpoint_seconds: a checkpoint is due at the first round boundary after this many seconds; None: after
            `MINUTE`, or so much later that no more than `WRITING` of the time goes into writing them.
        on_round: called after every round with the engine, to show progress.
    """

    def __init__(
        self,
        method: Method,
        evaluator: Evaluator,
        folder: RunFolder,
        device: torch.device,
        checkpoint_seconds: float | None,
        on_round: Callable[[Engine], None] = lambda engine: None,
    ) -> None:
        self.method, self.evaluator, self.device = method, evaluator, device
        self.clock, self.ledger = Clock(device), Ledger()
        self.folder, self.checkpoint_seconds, self.on_round = folder, checkpoint_seconds, on_round
        self._synthesis, self._distillation = Means(), Means()
        self._drops = any(isinstance(module, nn.Dropout) for module in method.context.student.modules())
        self._saved_at, self._saving, self._joules = time.monotonic(), 0.0, card.joules(device)

    def resume(self) -> bool:
        """Continue from the checkpoint, if there is one. Raises UserError if it is damaged or does not fit."""
        started = time.monotonic()
        state = checkpoint.load(self.folder.checkpoint, self.device)
        if state is None:
            # Without a checkpoint nothing is covered: events are of a run whose checkpoint was removed by hand.
            self.folder.events.unlink(missing_ok=True)
            return False
        try:
            with inside_method():
                self._load_state(state)
        except MethodFailed as error:
            where = self.folder.checkpoint
            raise NoResume(f"{where}: does not fit this run: {error}; delete it to start this run again") from error
        self._flush()
        self._saving = time.monotonic() - started  # as long as writing it, as far as is known here
        return True

    def run(self) -> None:
        """All remaining rounds. Raises Diverged or MethodFailed."""
        self._look_at_card()
        for index in range(self.ledger.next_round, self.method.schedule.rounds):
            self._round(index)
            if self.method.schedule.closes_epoch(index):
                self._evaluate(index)
            self.on_round(self)
            if time.monotonic() - self._saved_at >= self._pause():
                self.save()
        with inside_method():  # a method may have made anything of its student
            self._check_student()
        self.save()

    def save(self) -> None:
        """Write a checkpoint, then the events it covers."""
        # In this order: an event that is on disk then never has to be taken back, and those that a kill kept from the
        # disk are in the checkpoint, from which the next process appends them.
        started = time.monotonic()
        self._look_at_card()
        with inside_method():
            checkpoint.save(self.folder.checkpoint, self._state())
        self._flush()
        self._saved_at = time.monotonic()
        self._saving = self._saved_at - started

    def _pause(self) -> float:
        """Seconds from one checkpoint to the next."""
        if self.checkpoint_seconds is not None:
            return self.checkpoint_seconds
        return max(MINUTE, self._saving / WRITING)

    def _round(self, index: int) -> None:
        # Only a student with dropout needs the global generators, and setting them is not for nothing.
        dropout = global_randomness(self.method.context.random("dropout", index)) if self._drops else nullcontext()
        with inside_method(), dropout:
            losses = check(self.method.round(index, self.clock))
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
        with self.clock.evaluation(), inside_method():
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

    def _check_student(self) -> None:
        for name, tensor in self.method.context.student.state_dict().items():
            if not tensor.isfinite().all():
                raise Diverged(f"the student's {name} is not finite after the last round")

    def _look_at_card(self) -> None:
        ledger, before, self._joules = self.ledger, self._joules, card.joules(self.device)
        if before is not None and self._joules is not None:
            ledger.energy = (ledger.energy or 0.0) + self._joules - before
        if (sharers := card.sharers(self.device)) is not None:
            ledger.device_sharers = max(sharers, ledger.device_sharers or 0)

    def _state(self) -> dict[str, Any]:
        ledger = {**vars(self.ledger), "events": [event.model_dump() for event in self.ledger.events]}
        return {
            "run": self.folder.key,
            "method": self.method.state_dict(),
            "ledger": ledger,
            "clock": self.clock.state_dict(),
            "synthesis": vars(self._synthesis),
            "distillation": vars(self._distillation),
        }

    def _load_state(self, state: dict[str, Any]) -> None:
        if state["run"] != self.folder.key:
            raise ValueError(f"it is the checkpoint of run {state['run']}")
        self.method.load_state_dict(state["method"])
        ledger = state["ledger"]
        self.ledger = Ledger(**{**ledger, "events": [Event(**event) for event in ledger["events"]]})
        if not 0 <= self.ledger.next_round <= self.method.schedule.rounds:
            raise ValueError(f"next_round is {self.ledger.next_round} of {self.method.schedule.rounds}")
        self.clock.load_state_dict(state["clock"])
        self._synthesis, self._distillation = Means(**state["synthesis"]), Means(**state["distillation"])

    def _flush(self) -> None:
        """Append the events that the checkpoint just written, or just read, covers."""
        append_events(self.folder.events, self.ledger.events)
