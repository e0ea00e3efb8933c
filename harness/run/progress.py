"""Shows how far a run is: a bar on a terminal, a line per epoch elsewhere, and a record for other processes."""

from __future__ import annotations

import os
import sys
import time
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as Bars
from rich.table import Column

from harness.engine.loop import Engine
from harness.errors import clean
from harness.run.run import Run
from harness.store import atomic
from harness.store.records import Progress

EVERY_SECONDS = 1.0
"""How often other processes are told."""
REDRAW_SECONDS = 0.1
"""How often the bar moves: a round may take a thousandth of a second, and drawing is not for nothing."""
LOG = 50_000
"""Letters of one entry in the log at most, such as a traceback."""
WIDTH = 24
"""Of the bar; the text beside it is cut where the terminal ends."""


class ProgressReport:
    """Called after every round, within a ``with`` block that takes the bar away at its end.

    Args:
        run: whose log receives the lines, and whose progress is noted for other processes.
    """

    def __init__(self, run: Run) -> None:
        self.name, self.folder = run.cell.name, run.folder
        # Asked of the output itself: rich also takes a pipe for a terminal where an environment variable says so.
        self._watched = sys.stdout.isatty()
        self._console = Console(force_terminal=self._watched, highlight=False, markup=False, emoji=False)
        # Drawn by hand: a thread that redraws would take its time from the one that is measured.
        bar = BarColumn(WIDTH, table_column=Column(min_width=WIDTH))
        text = TextColumn("{task.description}", markup=False, table_column=Column(no_wrap=True, overflow="ellipsis"))
        self._bars = Bars(bar, text, console=self._console, auto_refresh=False, transient=True)
        self._bar = self._bars.add_task("", total=None)
        self._started = self._noted = self._drawn = time.monotonic()
        self._first_round: int | None = None
        self._shown = 0

    def __enter__(self) -> Self:
        if self._watched:
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._watched:
            self._bars.stop()

    def say(self, text: str) -> None:
        """One line for the person and for the log."""
        line = f"{time.strftime('%H:%M:%S')} {self.name}: {text}"
        self._console.print(clean(line), soft_wrap=True)
        self.log_text(line + "\n")

    def log_text(self, text: str) -> None:
        """Text for the log alone."""
        atomic.append_text(self.folder.log, clean(text, LOG))

    def __call__(self, engine: Engine) -> None:
        """Report the state of ``engine`` after a round."""
        if self._first_round is None:
            self._first_round = engine.ledger.next_round - 1
        now = time.monotonic()
        if now - self._noted >= EVERY_SECONDS:
            self._noted = now
            self._note(engine)
        if self._watched:
            if now - self._drawn >= REDRAW_SECONDS:
                self._drawn = now
                self._draw(engine)
        elif len(engine.ledger.events) > self._shown:
            self.say(self._text(engine))
        self._shown = len(engine.ledger.events)

    def _note(self, engine: Engine) -> None:
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

    def _draw(self, engine: Engine) -> None:
        total, done = engine.method.schedule.rounds, engine.ledger.next_round
        text = f"{self._text(engine)}  {self.name}"
        self._bars.update(self._bar, total=total, completed=done, description=text, refresh=True)

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
