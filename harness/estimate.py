"""`dkd list --estimate`: device hours and disk that the rest of a grid takes, judged by its finished seeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import mean

from harness import records, runs
from harness.records import Metrics
from harness.status import CellStatus

LEFT = ("waiting", "running", "stale", "damaged")
"""States of cells that still have to run; what a running one has done already is not taken off."""

Cost = tuple[float, float]
"""Seconds of a device, evaluation included, and bytes on disk."""


def lines(cells: Sequence[CellStatus]) -> Iterator[str]:
    """What is done took, what is left will take, and what no finished seed tells."""
    spent: dict[str, list[Cost]] = {}
    for cell in cells:
        if cell.state == "done":
            spent.setdefault(_row(cell), []).append(_cost(cell))
    left = [cell for cell in cells if cell.state in LEFT]
    known = [_mean(spent[_row(cell)]) for cell in left if _row(cell) in spent]
    yield _line("done", [cost for costs in spent.values() for cost in costs])
    yield _line("left", known)
    unknown = [_row(cell) for cell in left if _row(cell) not in spent]
    for row in dict.fromkeys(unknown):
        yield f"not estimated: {unknown.count(row)} cells of {row}, no seed of which is done"


def _row(cell: CellStatus) -> str:
    """A cell without its seed."""
    return cell.name.rsplit("/", 1)[0]


def _cost(cell: CellStatus) -> Cost:
    result = records.read(cell.metrics, Metrics)
    return result.seconds.end_to_end + result.seconds.evaluation, runs.size(cell.metrics.parent / "runs" / result.key)


def _mean(costs: list[Cost]) -> Cost:
    return mean(seconds for seconds, _ in costs), mean(size for _, size in costs)


def _line(what: str, costs: list[Cost]) -> str:
    hours, mebibytes = sum(seconds for seconds, _ in costs) / 3600, sum(size for _, size in costs) / 2**20
    return f"{what}: {len(costs)} cells, {hours:.2f} device hours, {mebibytes:.1f} MiB"
