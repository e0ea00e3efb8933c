"""`dkd list --estimate`: device hours, disk and memory that the rest of a grid takes.

Judged by its finished seeds where there are any, and by counted operations elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import track

from harness.commands.status import CellStatus
from harness.grid.cell import Cell
from harness.machine import gpus
from harness.store.layout import CellFolder
from harness.store.records import Metrics

if TYPE_CHECKING:
    from harness.run.cost import Cost

LEFT = ("waiting", "running", "stale", "damaged")
"""States of cells that still have to run; what a running one has done already is not taken off."""
ASSUMED = {"cuda": 5e12, "cpu": 3e10}
"""Operations per second where nothing was measured: a recent data-centre GPU on small networks (our choice), one core
(measured on the digits)."""


@dataclass(frozen=True)
class Spent:
    """What one finished run took."""

    seconds: float
    """Evaluation included."""
    bytes: int
    """On disk."""
    operations: int
    working: float
    """Seconds of synthesis and distillation."""


Counting = Callable[[Sequence[Cell]], Iterable["Cost | None"]]


def _counted(cells: Sequence[Cell]) -> Iterator[Cost | None]:
    """The costs of these cells; torch is imported only here, where nothing of a row is done."""
    from harness.run import cost

    console = Console(stderr=True)
    yield from track(
        cost.estimates(cells),
        "counting operations",
        len(cells),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def lines(found: Sequence[CellStatus], counting: Counting = _counted) -> Iterator[str]:
    """What is done took, and what is left will take.

    Args:
        found: the states of the grid's cells.
        counting: the costs of cells, one of each row of which no seed is done.
    """
    spent = _by_row(found)
    done = [one for several in spent.values() for one in several]
    yield f"done: {_sum([(one.seconds, one.bytes) for one in done])}"
    yield known(found)
    unknown = [status.cell for status in found if status.state in LEFT and status.cell.row not in spent]
    if unknown:
        yield from _by_operations(unknown, done, counting)


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


def _by_operations(cells: Sequence[Cell], done: Sequence[Spent], counting: Counting) -> Iterator[str]:
    measured = sum(one.operations for one in done), sum(one.working for one in done)
    speed = measured[0] / measured[1] if all(measured) else ASSUMED[_device(cells[0].device)]
    rows = {cell.row: cell for cell in cells}
    found = dict(zip(rows, counting(list(rows.values())), strict=True))
    yield from (f"not estimated: {row}" for row, cost in found.items() if cost is None)
    costs = {row: cost for row, cost in found.items() if cost}
    if not costs:
        return
    of_cells = [costs[cell.row] for cell in cells if cell.row in costs]
    hours = sum(one.flops.synthesis + one.flops.distillation for one in of_cells) / speed / 3600
    origin = "as the finished cells" if all(measured) else "our assumption, no cell is finished"
    yield (
        f"left, judged by operations: {len(of_cells)} cells, about {hours:.3g} device hours "
        f"at {speed / 1e9:,.0f} GFLOP/s ({origin}); times of small networks depend on more than operations"
    )
    row, largest = max(costs.items(), key=lambda item: item[1].memory)
    yield f"memory: about {largest.memory / 2**20:,.0f} MiB at most, in {row}"
    placed = [(cost.placing.bytes, row, cost.placing) for row, cost in costs.items() if cost.placing]
    if placed:
        _, row, placing = max(placed)
        yield f"images: the most in {row}, {placing}"


def _device(wanted: str) -> str:
    """Where ``auto`` will lead on this machine."""
    return wanted if wanted != "auto" else "cuda" if gpus.visible() else "cpu"


def _spent(folder: CellFolder, result: Metrics) -> Spent:
    seconds, flops = result.seconds, result.flops
    return Spent(
        seconds.end_to_end + seconds.evaluation,
        folder.run(result.key).size(),
        flops.synthesis + flops.distillation if flops else 0,
        seconds.synthesis + seconds.distillation if flops else 0.0,
    )


def _mean(spent: Sequence[Spent]) -> tuple[float, float]:
    return mean(one.seconds for one in spent), mean(one.bytes for one in spent)


def _sum(costs: Sequence[tuple[float, float]]) -> str:
    hours, mebibytes = sum(seconds for seconds, _ in costs) / 3600, sum(size for _, size in costs) / 2**20
    return f"{len(costs)} cells, {hours:.2f} device hours, {mebibytes:.1f} MiB"
