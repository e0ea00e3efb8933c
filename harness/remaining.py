"""How long a grid still takes, by what its finished cells took. From records alone: no network is built, nothing is
counted, so that lists, the workflow and the page can say it at any time.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from statistics import fmean

from harness.store.layout import CellName
from harness.store.records import Metrics

FACTORS: Sequence[Callable[[CellName], Hashable]] = (
    lambda cell: (cell.study, cell.dataset, cell.pair.folder),
    lambda cell: cell.label,
    lambda cell: cell.scale,
)
"""What the time of a cell depends on, each by a factor of its own: where, what, and how much."""
ROUNDS = 20
"""How often every factor is fitted to what the others leave over: two factors that are balanced need one round."""

LEAST = 0.001
"""Seconds that a run takes at least, so that there is a logarithm."""


class Expected:
    """What a cell will take, judged by others.

    Args:
        taken: cells that are done -> seconds on the wall. A row's cells tell of that row; a row of which no cell is
            done takes the product of what its pair, its label and its scale do elsewhere (least squares of logarithms,
            our choice). All three must have been seen (`known`).
    """

    def __init__(self, taken: Iterable[tuple[CellName, float]]) -> None:
        rows: dict[str, list[tuple[CellName, float]]] = defaultdict(list)
        for cell, seconds in taken:
            rows[cell.row].append((cell, max(seconds, LEAST)))
        self._rows = {row: fmean(seconds for _, seconds in cells) for row, cells in rows.items()}
        logs = [(cells[0][0], math.log(self._rows[row])) for row, cells in rows.items()]
        self._mean = fmean(log for _, log in logs) if logs else 0.0
        self._effects: list[dict[Hashable, float]] = [{} for _ in FACTORS]
        for _ in range(ROUNDS):
            for number in range(len(FACTORS)):
                self._fit(number, logs)

    def seconds(self, cell: CellName) -> float | None:
        """Of a whole run; None where nothing is done yet."""
        return self._rows.get(cell.row, math.exp(self._log(cell))) if self._rows else None

    def _fit(self, number: int, logs: Sequence[tuple[CellName, float]]) -> None:
        """Set one factor's effects to the means of what the others leave over."""
        self._effects[number] = {}
        over: dict[Hashable, list[float]] = defaultdict(list)
        for cell, log in logs:
            over[FACTORS[number](cell)].append(log - self._log(cell))
        self._effects[number] = {level: fmean(values) for level, values in over.items()}

    def _log(self, cell: CellName) -> float:
        levels = (factor(cell) for factor in FACTORS)
        return self._mean + sum(effects.get(level, 0.0) for effects, level in zip(self._effects, levels, strict=True))


def took(result: Metrics) -> float:
    """Seconds on the wall of one run, from the start of its process: what a grid waited for it."""
    return result.seconds.evaluated


def words(
    done: Sequence[tuple[CellName, Metrics]],
    left: Sequence[tuple[CellName, float]],
    at_once: int = 0,
    running: int = 0,
) -> str:
    """How long the cells that are left will take, in words; empty if none is, or none is done to judge them by.

    Of cells whose pair, label or scale was never seen nothing is said: ten times the scale takes ten times as long.

    Args:
        done: cells that are done, with their results.
        left: cells that are not, with the seconds that each has worked until now.
        at_once: how many may run at the same time, where that is known; else as many as when the last one was done.
        running: how many do; no fewer are assumed.
    """
    judged = list(known((cell for cell, _ in done), left))
    if not judged:
        return ""
    _, latest = max(done, key=lambda one: one[1].finished)
    together = max(running, at_once or latest.concurrent, 1)
    seconds = remaining([(cell, took(result)) for cell, result in done], judged, together)
    whose = "" if len(judged) == len(left) else f" for {len(judged)} of {len(left)} cells"
    return "" if seconds is None else f"{duration(seconds)} left{whose}, {together} at once"


def known(done: Iterable[CellName], left: Iterable[tuple[CellName, float]]) -> Iterator[tuple[CellName, float]]:
    """Those of ``left`` whose pair, label and scale ``done`` has, each somewhere."""
    cells = list(done)
    seen = [{factor(cell) for cell in cells} for factor in FACTORS]
    for cell, spent in left:
        if all(factor(cell) in levels for factor, levels in zip(FACTORS, seen, strict=True)):
            yield cell, spent


def remaining(
    taken: Iterable[tuple[CellName, float]], left: Iterable[tuple[CellName, float]], at_once: int
) -> float | None:
    """Seconds until a grid has ended; None as long as no cell is done to judge the others by.

    Args:
        taken: cells that are done, with the seconds that each took (`took`).
        left: cells that are not, with the seconds that each has worked until now: 0 for one that has not begun.
        at_once: how many cells run at the same time; at least 1.

    No grid ends before its longest cell.
    """
    expected = Expected(taken)
    to_come = []
    for cell, spent in left:
        if (whole := expected.seconds(cell)) is None:
            return None
        to_come.append(max(0.0, whole - spent))
    return max(sum(to_come) / at_once, max(to_come, default=0.0))


def duration(seconds: float) -> str:
    """Seconds that nobody knows exactly, as a person says them."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "under a minute"
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"about {days} d {hours} h"
    return f"about {hours} h {minutes} min" if hours else f"about {minutes} min"
