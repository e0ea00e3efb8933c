"""Shows how far a run is: a bar on a terminal of its own, a line per epoch elsewhere, and a record for others."""

from __future__ import annotations

import os
import time
from typing import Self

from harness.engine.loop import Engine
from harness.run import log
from harness.run.run import Run
from harness.store import atomic
from harness.store.records import Progress
from harness.terminal import REDRAW_SECONDS, LastLine, say, shared, time_left

EVERY_SECONDS = 1.0
"""How often other processes are told."""
SHARED_SECONDS = 60.0
"""How often the epochs of a run are told where many runs at once are told on one terminal."""


class ProgressReport:
    """Called after every round, within a ``with`` block that takes the bar away at its end.

    Args:
        run: whose log receives the lines, and whose progress is noted for other processes.
    """

    def __init__(self, run: Run) -> None:
        self.name, self.folder = run.cell.name, run.folder
        self._line = LastLine()
        self._started = self._recorded = self._drawn = self._told = time.monotonic()
        self._first_round: int | None = None
        self._shown = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.clear()

    def say(self, text: str) -> None:
        """One line for the person and for the log."""
        self._told = time.monotonic()
        self._line.clear()
        say(self._logged(text))

    def note(self, text: str) -> None:
        """One line for the log, and for the person unless many runs are told on one terminal."""
        (self._logged if shared() else self.say)(text)

    def _logged(self, text: str) -> str:
        """One line for the log alone; gives it as it stands there."""
        line = f"{time.strftime('%H:%M:%S')} {self.name}: {text}"
        self.log_text(line + "\n")
        return line

    def log_text(self, text: str) -> None:
        """Text for the log alone."""
        log.append(self.folder, text)

    def __call__(self, engine: Engine) -> None:
        """Report the state of ``engine`` after a round."""
        if self._first_round is None:
            self._first_round = engine.ledger.next_round - 1
        now = time.monotonic()
        if now - self._recorded >= EVERY_SECONDS:
            self._recorded = now
            self._write_record(engine)
        if self._line.watched:
            if now - self._drawn >= REDRAW_SECONDS:
                self._drawn = now
                self._line.show(self._done(engine), self._text(engine), self.name)
        elif len(engine.ledger.events) > self._shown:
            often = not shared() or now - self._told >= SHARED_SECONDS
            (self.say if often else self._logged)(self._text(engine))
        self._shown = len(engine.ledger.events)

    def _write_record(self, engine: Engine) -> None:
        schedule, done = engine.method.schedule, len(engine.ledger.events)
        record = Progress(
            epoch=done,
            epochs=schedule.epochs,
            seconds=engine.clock.seconds,
            cpu_seconds=engine.clock.cpu_seconds,
            pid=os.getpid(),
            time=time.time(),
        )
        atomic.write(self.folder.progress, record, durable=False)

    def _done(self, engine: Engine) -> float:
        return engine.ledger.next_round / engine.method.schedule.rounds

    def _text(self, engine: Engine) -> str:
        schedule, events = engine.method.schedule, engine.ledger.events
        metric = f"{events[-1].metric:.2f} %" if events else "not evaluated yet"
        return f"epoch {len(events)}/{schedule.epochs}  {metric}  {self._left(engine)}"

    def _left(self, engine: Engine) -> str:
        assert self._first_round is not None
        begun, rounds = self._first_round, engine.method.schedule.rounds
        return time_left(self._started, engine.ledger.next_round - begun, rounds - begun)
