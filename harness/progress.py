"""Shows how far a run is: a bar on a terminal, a line per epoch elsewhere, and progress.json for other processes."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from harness.engine import Engine
from harness.records import Progress
from harness.storage import write

EVERY_SECONDS = 1.0


class ProgressReport:
    """Called after every round.

    Args:
        name: of the cell.
        folder: of the run.
        log: of the attempts; receives the lines.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.file, self.log = name, folder / "progress.json", folder / "attempts.log"
        self._started = self._written = time.monotonic()
        self._first_round: int | None = None
        self._shown = 0

    def say(self, text: str) -> None:
        """One line for the person and for the log."""
        line = f"{time.strftime('%H:%M:%S')} {self.name}: {text}"
        print(("\r\x1b[K" if sys.stdout.isatty() else "") + line, flush=True)  # noqa: T201
        self.log_text(line + "\n")

    def log_text(self, text: str) -> None:
        """Text for the log alone."""
        with self.log.open("a") as log:
            log.write(text)

    def __call__(self, engine: Engine) -> None:
        """Report the state of ``engine`` after a round."""
        if self._first_round is None:
            self._first_round = engine.ledger.next_round - 1
        self._note(engine)
        if sys.stdout.isatty():
            self._bar(engine)
        elif len(engine.ledger.events) > self._shown:
            self.say(self._text(engine))
        self._shown = len(engine.ledger.events)

    def _note(self, engine: Engine) -> None:
        if time.monotonic() - self._written < EVERY_SECONDS:
            return
        self._written = time.monotonic()
        schedule, done = engine.method.schedule, len(engine.ledger.events)
        record = Progress(epoch=done, epochs=schedule.epochs, seconds=engine.seconds, pid=os.getpid(), time=time.time())
        write(self.file, record, durable=False)

    def _bar(self, engine: Engine) -> None:
        share = engine.ledger.next_round / engine.method.schedule.rounds
        bar = "█" * int(24 * share) + "░" * (24 - int(24 * share))
        print(f"\r\x1b[K{bar} {self._text(engine)}  {self.name}", end="", flush=True)  # noqa: T201

    def _text(self, engine: Engine) -> str:
        schedule, events = engine.method.schedule, engine.ledger.events
        metric = f"{events[-1].metric:.2f} %" if events else "not evaluated yet"
        return f"epoch {len(events)}/{schedule.epochs}  {metric}  {self._left(engine)} left"

    def _left(self, engine: Engine) -> str:
        assert self._first_round is not None
        done = engine.ledger.next_round - self._first_round
        left = engine.method.schedule.rounds - engine.ledger.next_round
        seconds = int((time.monotonic() - self._started) / done * left)
        return f"{seconds // 3600}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
