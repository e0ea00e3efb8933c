"""`dkd list --estimate`: device hours, disk and memory that the rest of a grid takes.

Judged by its finished seeds where there are any, and by counted operations elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean

from rich.console import Console
from rich.progress import track

from harness.commands.speeds import KINDS, Judged, Speeds
from harness.commands.status import CellStatus
from harness.grid.cell import Cell
from harness.machine import gpus
from harness.run import estimates
from harness.run.costs import Cost
from harness.store.layout import CellFolder
from harness.store.records import Flops, Metrics

LEFT = ("waiting", "running", "stale", "damaged")
"""States of cells that still have to run; what a running one has done already is not taken off."""
ASSUMED = {"cuda": 5e12, "cpu": 3e10}
"""Operations per second where nothing was measured: a recent data-centre GPU on small networks (our choice), one core
(measured on the digits)."""
ASSUMPTION = "our assumption"


@dataclass(frozen=True)
class Spent:
    """What one finished run took."""

    seconds: float
    """Evaluation included."""
    bytes: int
    """On disk."""


Counting = Callable[[Sequence[Cell]], Iterable[tuple[Cell, Cost | None]]]


def _counted(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Cost | None]]:
    """These cells and their costs, as they are found."""
    console = Console(stderr=True)
    yield from track(
        estimates.estimates(cells),
        "counting operations",
        len(cells),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def prepare(cells: Sequence[Cell]) -> None:
    """Begin with what counting needs: it takes as long as to find the states of these cells."""
    estimates.prepare(len({cell.row for cell in cells}))


def lines(found: Sequence[CellStatus], counting: Counting = _counted) -> Iterator[str]:
    """What is done took, and what is left will take.

    Args:
        found: the states of the grid's cells.
        counting: cells and their costs, one of each row of which no seed is done.
    """
    spent = _by_row(found)
    done = [one for several in spent.values() for one in several]
    yield f"done: {_sum([(one.seconds, one.bytes) for one in done])}"
    yield known(found)
    unknown = [status.cell for status in found if status.state in LEFT and status.cell.row not in spent]
    if unknown:
        finished = [(status.cell, status.result) for status in found if status.state == "done" and status.result]
        yield from _by_operations(unknown, Speeds(finished), counting)


def known(found: Sequence[CellStatus]) -> str:
    """What is left will take, of cells that have finished seeds: from records alone."""
    spent = _by_row(found)
    rows = [status.cell.row for status in found if status.state in LEFT]
    return f"left, judged by finished seeds: {_sum([_mean(spent[row]) for row in rows if row in spent])}"


def _by_row(found: Sequence[CellStatus]) -> dict[str, list[Spent]]:
    """Row -> what its finished cells took."""
    spent: dict[str, list[Spent]] = {}
    for status in found:
        if status.state == "done" and status.result:
            spent.setdefault(status.cell.row, []).append(_spent(status.folder, status.result))
    return spent


def _by_operations(cells: Sequence[Cell], speeds: Speeds, counting: Counting) -> Iterator[str]:
    rows = {cell.row: cell for cell in cells}
    counted = {cell.row: cost for cell, cost in counting(list(rows.values()))}
    found = {row: counted[row] for row in rows}
    yield from (f"not estimated: {row}" for row, cost in found.items() if cost is None)
    costs = {row: cost for row, cost in found.items() if cost}
    if not costs:
        return
    left = [(cell, costs[cell.row].flops) for cell in cells if cell.row in costs]
    judged = [speeds.judge(cell, flops) or _assumed(cell, flops) for cell, flops in left]
    seconds = sum(one.seconds for one in judged)
    speed = sum(_all(flops) for _, flops in left) / seconds if seconds else 0.0
    yield (
        f"left, judged by operations: {len(left)} cells, about {seconds / 3600:.3g} device hours "
        f"at {speed / 1e9:,.0f} GFLOP/s ({_origin(judged, speeds)}); "
        "times of small networks depend on more than operations"
    )
    row, largest = max(costs.items(), key=lambda item: item[1].memory)
    yield f"memory: about {largest.memory / 2**20:,.0f} MiB at most, in {row}"
    stored = [(cost.images.bytes, row, cost.images.lie) for row, cost in costs.items() if cost.images]
    if stored:
        _, row, lie = max(stored)
        yield f"images: the most in {row}, {lie}"


def _assumed(cell: Cell, flops: Flops) -> Judged:
    return Judged(_all(flops) / ASSUMED[_device(cell.device)], ASSUMPTION)


def _all(flops: Flops) -> int:
    return flops.synthesis + flops.distillation


def _origin(judged: Sequence[Judged], speeds: Speeds) -> str:
    """What the cells were judged by, the nearest first, and how many."""
    counts = Counter(one.by for one in judged)
    if speeds.device is None:
        return f"{ASSUMPTION}, no cell is finished"
    known = [f"{counts[kind]} by their {kind}" for kind, _ in KINDS if counts[kind]]
    rest = [f"{counts[ASSUMPTION]} by {ASSUMPTION}"] if counts[ASSUMPTION] else []
    return f"as the finished cells on {speeds.device}: {', '.join(known + rest)}"


def _device(wanted: str) -> str:
    """Where ``auto`` will lead on this machine."""
    return wanted if wanted != "auto" else "cuda" if gpus.visible() else "cpu"


def _spent(folder: CellFolder, result: Metrics) -> Spent:
    return Spent(result.seconds.end_to_end + result.seconds.evaluation, folder.run(result.key).size())


def _mean(spent: Sequence[Spent]) -> tuple[float, float]:
    return mean(one.seconds for one in spent), mean(one.bytes for one in spent)


def _sum(costs: Sequence[tuple[float, float]]) -> str:
    hours, mebibytes = sum(seconds for seconds, _ in costs) / 3600, sum(size for _, size in costs) / 2**20
    return f"{len(costs)} cells, {hours:.2f} device hours, {mebibytes:.1f} MiB"
