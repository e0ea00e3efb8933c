"""`dkd list --estimate`: device hours, disk and memory that the rest of a grid takes.

Judged by its finished seeds where there are any, and by counted operations elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from harness.commands.output import Line, columns
from harness.commands.speeds import KINDS, Judged, Speeds
from harness.commands.status import LEFT, CellStatus
from harness.grid.cell import Cell
from harness.machine import gpus
from harness.run import estimates
from harness.run.costs import Cost
from harness.store.layout import CellFolder
from harness.store.records import Flops, Metrics
from harness.terminal import progress
from harness.wording import count

ASSUMED = {"cuda": 5e12, "cpu": 3e10}
"""Operations per second where nothing was measured: a recent data-centre GPU on small networks (our choice), one core
(measured on the digits)."""
ASSUMPTION = "our assumption"
SEEDS = "finished seeds"


@dataclass(frozen=True)
class Spent:
    """What one finished run took."""

    seconds: float
    """Evaluation included."""
    bytes: int
    """On disk."""
    memory: int
    """Bytes at its peak; 0 where that was not recorded."""


Counting = Callable[[Sequence[Cell]], Iterable[tuple[Cell, Cost | None]]]


def _counted(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Cost | None]]:
    """These cells and their costs, as they are found."""
    return progress(estimates.estimates(cells), len(cells), "counting operations")


def prepare(cells: Sequence[Cell]) -> None:
    """Begin with what counting needs: it takes as long as to find the states of these cells."""
    estimates.prepare(len({cell.row for cell in cells}))


def lines(found: Sequence[CellStatus], counting: Counting = _counted) -> Iterator[Line]:
    """What is left will take, by label; then what is done took, and all that is left will take.

    Args:
        found: the states of the grid's cells.
        counting: cells and their costs, one of each row of which no seed is done.
    """
    spent = _by_row(found)
    left = [status.cell for status in found if status.state in LEFT]
    rows = {cell.row: cell for cell in left if cell.row not in spent}
    costs = _costs(rows, counting)
    speeds = Speeds((status.cell, status.result) for status in found if status.state == "done" and status.result)
    judged = [(cell, _judge(cell, spent, costs, speeds)) for cell in left]
    yield columns(_by_label(judged))
    yield f"done: {_sum([(one.seconds, one.bytes) for several in spent.values() for one in several])}"
    yield f"left, judged by {SEEDS}: {_sum([_mean(spent[cell.row]) for cell in left if cell.row in spent])}"
    yield from (f"not estimated: {row}" for row in rows if row not in costs)
    if costs:
        yield from _by_operations([(costs[cell.row], one) for cell, one in judged if cell.row in costs and one], speeds)
    taken = {cell.row: max(one.memory for one in spent[cell.row]) for cell in left if cell.row in spent}
    yield from _largest(taken | {row: _memory(rows[row], cost) for row, cost in costs.items()})
    yield from _stored(costs)


def _costs(rows: Mapping[str, Cell], counting: Counting) -> dict[str, Cost]:
    """Row -> its cost, in the order of ``rows``; without those that cannot be estimated."""
    found = {cell.row: cost for cell, cost in counting(list(rows.values()))} if rows else {}
    return {row: cost for row in rows if (cost := found[row])}


def _judge(
    cell: Cell, spent: Mapping[str, Sequence[Spent]], costs: Mapping[str, Cost], speeds: Speeds
) -> Judged | None:
    """What a cell that is left will take; None where nothing tells."""
    if cell.row in spent:
        return Judged(_mean(spent[cell.row])[0], SEEDS)
    cost = costs.get(cell.row)
    return (speeds.judge(cell, cost.flops) or _assumed(cell, cost.flops)) if cost else None


def _by_label(judged: Sequence[tuple[Cell, Judged | None]]) -> Iterator[tuple[str, str, str, str]]:
    """A row a label of a study: its cells that are left, over all pairs and scales, hours, and what tells them."""
    labels: dict[tuple[str, str], list[Judged | None]] = {}
    for cell, one in judged:
        labels.setdefault((cell.study, cell.label), []).append(one)
    several = len({study for study, _ in labels}) > 1
    for (study, label), found in labels.items():
        hours = sum(one.seconds for one in found if one) / 3600
        by = Counter(f"by {_named(one.by)}" if one else "not estimated" for one in found)
        told = [kind if len(by) == 1 else f"{number} {kind}" for kind, number in by.items()]
        name = f"{study}/{label}" if several else label
        yield name, count(len(found), "cell"), f"{float(f'{hours:.3g}'):,g} device hours", ", ".join(told)


def _by_row(found: Sequence[CellStatus]) -> dict[str, list[Spent]]:
    """Row -> what its finished cells took."""
    spent: dict[str, list[Spent]] = {}
    for status in found:
        if status.state == "done" and status.result:
            spent.setdefault(status.cell.row, []).append(_spent(status.folder, status.result))
    return spent


def _by_operations(judged: Sequence[tuple[Cost, Judged]], speeds: Speeds) -> Iterator[str]:
    seconds = sum(one.seconds for _, one in judged)
    speed = sum(cost.flops.total for cost, _ in judged) / seconds if seconds else 0.0
    yield (
        f"left, judged by operations: {count(len(judged), 'cell')}, about {seconds / 3600:.3g} device hours "
        f"at {speed / 1e9:,.0f} GFLOP/s ({_origin([one for _, one in judged], speeds)}); "
        "start-up and evaluations come on top, and times of small networks depend on more than operations"
    )


def _memory(cell: Cell, cost: Cost) -> int:
    """Bytes that a cell needs: on a processor with its process, on a card of the card's."""
    return cost.memory + (cost.process if gpus.device(cell.device) == "cpu" else 0)


def _largest(sizes: Mapping[str, int]) -> Iterator[str]:
    """The row that needs most memory."""
    if any(sizes.values()):
        size, row = max((size, row) for row, size in sizes.items())
        yield f"memory: about {size / 2**20:,.0f} MiB at most, in {row}"


def _stored(costs: Mapping[str, Cost]) -> Iterator[str]:
    """The row that stores the largest images, of those that were counted."""
    if stored := [(cost.images.bytes, row, cost.images.lie) for row, cost in costs.items() if cost.images]:
        _, row, lie = max(stored)
        yield f"images: the most in {row}, {lie}"


def _assumed(cell: Cell, flops: Flops) -> Judged:
    return Judged(flops.total / ASSUMED[gpus.device(cell.device)], ASSUMPTION)


def _origin(judged: Sequence[Judged], speeds: Speeds) -> str:
    """What the cells were judged by, the nearest first, and how many."""
    counts = Counter(one.by for one in judged)
    if speeds.device is None:
        return f"{ASSUMPTION}, no finished cell tells"
    known = [f"{counts[kind]} by {_named(kind)}" for kind in (*(kind for kind, _ in KINDS), ASSUMPTION) if counts[kind]]
    return f"as the finished cells on {speeds.device}: {', '.join(known)}"


def _named(kind: str) -> str:
    return kind if kind == ASSUMPTION else f"their {kind}"


def _spent(folder: CellFolder, result: Metrics) -> Spent:
    return Spent(result.seconds.evaluated, folder.run(result.key).size(), result.peak_memory_bytes or 0)


def _mean(spent: Sequence[Spent]) -> tuple[float, float]:
    return mean(one.seconds for one in spent), mean(one.bytes for one in spent)


def _sum(costs: Sequence[tuple[float, float]]) -> str:
    hours, mebibytes = sum(seconds for seconds, _ in costs) / 3600, sum(size for _, size in costs) / 2**20
    return f"{count(len(costs), 'cell')}, {hours:.2f} device hours, {mebibytes:.1f} MiB"
