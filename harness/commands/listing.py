"""What `dkd list` shows: a line a row or a cell, what went wrong first, and how long the rest will take."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import fmean, stdev

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from harness.commands import output
from harness.commands.output import Line, columns
from harness.commands.status import GOING, LEFT, CellStatus, State, of_grid
from harness.errors import UserError
from harness.grid.cell import Cell
from harness.remaining import words
from harness.store.layout import scale_text
from harness.store.records import Metrics
from harness.terminal import say
from harness.wording import count

STYLES = {"done": "green", "running": "cyan", "failed": "red", "diverged": "red", "damaged": "red", "stale": "yellow"}
"""How states look on a terminal."""
URGENCY: Sequence[State] = ("damaged", "failed", "diverged", "stale", "running", "waiting", "done")
"""What a person wants to see first."""
SEEDS = 4
"""Seeds of a row that are named, at most."""
EVERY_SECONDS, FOLLOW_SECONDS = 2.0, 10.0
"""Between two looks at a grid, for one who watches and beside the workflow."""
SHARE = 0.05
"""Of all time, what looking may take: ten thousand cells take seconds."""

Look = Callable[[], Sequence[CellStatus]]


def by_cell(found: Sequence[CellStatus]) -> Iterator[Line]:
    """A line per cell in the order of the grid, and the summary."""
    yield columns(((status.state, status.cell.name, status.detail) for status in found), style=STYLES)
    yield from summary(found)


def by_row(found: Sequence[CellStatus]) -> Iterator[Line]:
    """A line per row below dataset and pair; rows in which something went wrong come first, and so do their pairs."""
    places: dict[str, dict[str, list[CellStatus]]] = defaultdict(lambda: defaultdict(list))
    for status in found:
        cell = status.cell
        row = f"{cell.label}/scale-{scale_text(cell.scale)}"
        places[f"{cell.study}/{cell.dataset}/{cell.pair.folder}"][row].append(status)
    for place, rows in sorted(places.items(), key=lambda item: min(map(_urgency, item[1].values()))):
        yield place
        ordered = sorted(rows.items(), key=lambda item: _urgency(item[1]))
        yield columns((_row(name, cells) for name, cells in ordered), indent=2, style=STYLES)
    yield from summary(found)


def summary(found: Sequence[CellStatus], at_once: int = 0) -> Iterator[str]:
    """How many cells are in which state, how long the rest will take (`time_left`), and what to do about some."""
    counts = Counter(status.state for status in found)
    told = ", ".join(f"{counts[state]} {state}" for state in reversed(URGENCY) if counts[state])
    left = time_left(found, at_once)
    yield count(len(found), "cell") + (f": {told}" if told else "") + (f"; {left}" if left else "")
    if counts["damaged"]:
        yield f"{counts['damaged']} damaged: `dkd run CELL` takes it back from its copy, or says what to remove"
    if ended := counts["failed"] + counts["diverged"]:
        yield f"{ended} failed or diverged, which is a result: `dkd retry` lets them run again"
    if overloaded := sum(1 for status in found if status.result and status.result.overloaded):
        yield f"{overloaded} on an overloaded machine: `dkd retry --overloaded` lets them run again"


def time_left(found: Sequence[CellStatus], at_once: int = 0) -> str:
    """How long the cells that are left will take (`harness/remaining.py`); empty if none is, or nothing tells."""
    done = [(status.cell, status.result) for status in found if status.state == "done" and status.result]
    left = [(status.cell, status.spent) for status in found if status.state in LEFT]
    return words(done, left, at_once, sum(status.state == "running" for status in found))


def watch(look: Look, watched: bool) -> Iterator[str]:
    """Look again and again until nothing runs or waits; on a terminal the list is drawn over, as far as it fits.

    Args:
        look: finds the states of the cells.
        watched: whether a person looks; elsewhere the summary is given whenever a cell has ended.
    """
    if not watched:
        yield from changes(look)
        return
    found: Sequence[CellStatus] = []
    with Live(console=Console(force_terminal=True), auto_refresh=False, transient=True) as live:
        for found in _looks(look):
            live.update(Group(*screen(found)), refresh=True)
    yield from output.lines(by_row(found), terminal=True)


def changes(
    look: Look, every: float = EVERY_SECONDS, at_once: int = 0, states: Sequence[State] = GOING
) -> Iterator[str]:
    """The summary, and again whenever a cell has ended; looks every so many seconds at most, while one has a state."""
    before = -1
    for found in _looks(look, every, states):
        ended = sum(1 for status in found if status.state in ("done", "failed", "diverged"))
        if ended != before:
            yield next(summary(found, at_once))
        before = ended


def follow(cells: Sequence[Cell], results: Path, at_once: int) -> None:
    """Say how far a grid is whenever a cell has ended, until none is left: beside Snakemake, in a thread of its own.

    Ends without a word where a record cannot be read: whoever needs it will say so.
    """
    with contextlib.suppress(UserError, OSError):
        for line in changes(lambda: of_grid(cells, results), FOLLOW_SECONDS, at_once, LEFT):
            say(f"{time.strftime('%H:%M:%S')} {line}", err=True)


def _looks(look: Look, every: float = EVERY_SECONDS, states: Sequence[State] = GOING) -> Iterator[Sequence[CellStatus]]:
    while True:
        began = time.monotonic()
        yield (found := look())
        if not any(status.state in states for status in found):
            return
        time.sleep(max(every, (time.monotonic() - began) / SHARE))


def screen(found: Sequence[CellStatus]) -> list[Text]:
    """As many of the list's first lines as a terminal has room for, above the summary."""
    head, *more = summary(found)
    rows = list(output.lines(by_row(found), terminal=True))[: -1 - len(more)]
    room = max(0, Console().height - 5)  # the summary may take two lines or three
    hidden = [f"and {count(len(rows) - room, 'line')} more"] if len(rows) > room else []
    lines = [*(rows[:room] if hidden else rows), *hidden]
    return [*(Text.from_ansi(line, no_wrap=True, overflow="ellipsis") for line in lines), Text(head)]


def _urgency(cells: Iterable[CellStatus]) -> int:
    return min(URGENCY.index(status.state) for status in cells)


def _row(name: str, cells: Sequence[CellStatus]) -> tuple[str, str, str, str]:
    """Its most urgent state, how many of its cells are done, its name, and what there is to tell."""
    done = [status.result for status in cells if status.state == "done" and status.result]
    told = [*_troubles(cells), *([_numbers(done)] if done else [])]
    return URGENCY[_urgency(cells)], f"{len(done)}/{len(cells)}", name, "; ".join(told)


def _troubles(cells: Sequence[CellStatus]) -> Iterator[str]:
    """What is to be told of cells that are not done, those of which the same is told together."""
    alike: dict[tuple[State, str], list[int]] = defaultdict(list)
    for status in cells:
        if status.state != "done" and (status.detail or status.state != "waiting"):
            alike[status.state, status.detail].append(status.cell.seed)
    for (state, detail), seeds in sorted(alike.items(), key=lambda item: URGENCY.index(item[0][0])):
        named = ", ".join(map(str, seeds[:SEEDS])) + (f" and {len(seeds) - SEEDS} more" if len(seeds) > SEEDS else "")
        whose = "" if len(seeds) == len(cells) else f"seed {named} {state}: "
        yield whose + detail


def _numbers(done: Sequence[Metrics]) -> str:
    """Mean and spread of the accuracy, mean cost."""
    finals = [result.final for result in done if result.final is not None]
    spread = f" ± {stdev(finals):.2f}" if len(finals) > 1 else ""
    overloaded = sum(result.overloaded for result in done)
    busy = f", {overloaded} overloaded" if overloaded else ""
    cost = f"{fmean(one.cost.end_to_end for one in done):.1f} {done[0].clock}{busy}"
    return f"{fmean(finals):.2f}{spread} % {done[0].metric}, {cost}"
