"""How fast the machine of a run was, told by its evaluations, the same work in every run of a pair; and fair costs."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import Any

from harness.reporting.quantities import COST, Quantity
from harness.reporting.rows import Row
from harness.reporting.runs import RecordedRun
from harness.store.records import Metrics

ENOUGH = 0.2
"""Seconds of one evaluation from which on it tells: on the digits it takes a hundredth. Our choice."""
ALIKE = 1.5
"""How many times as fast a machine may be for one run as for another. Our choice: evaluations of the reference results
differ by 1.14 on one host, and by 1.8 between two of one name."""


def tells(run: RecordedRun) -> bool:
    """Whether its evaluations took long enough, on a processor: a card waits for launches there, and not in a graph."""
    return in_evaluations(run.metrics, run.config) is not None


def relative_cost(run: RecordedRun) -> float:
    """Its cost end to end in evaluations of its own: comparable between machines, where they tell."""
    return run.metrics.cost.end_to_end / _evaluation(run)


def in_evaluations(result: Metrics, config: Mapping[str, Any]) -> float | None:
    """The `relative_cost` of a run whose method had this configuration; None where its evaluations do not tell."""
    seconds = _seconds(result, config)
    return result.cost.end_to_end / seconds if result.device == "cpu" and seconds >= ENOUGH else None


def spread(runs: Iterable[RecordedRun]) -> float:
    """How many times as long evaluations took in the slowest run of a pair as in its fastest; 1 where nothing tells."""
    alike = (list(map(_evaluation, own)) for own in _by_pair(filter(tells, runs)))
    return max((max(group) / min(group) for group in alike), default=1.0)


def cost(among: Iterable[Row]) -> Quantity:
    """What a row costs end to end, where `factors` knows better on a machine as fast as is usual for its pair.

    Args:
        among: all rows of its pair, or more: of a part of them another machine would be the usual one.
    """
    times = factors(among)
    if not times:
        return COST
    return Quantity(COST.name, lambda metrics: metrics.cost.end_to_end * times.get(metrics.cell, 1.0))


def factors(among: Iterable[Row]) -> dict[str, float]:
    """Cell -> its machine's speed, as a multiple of what is usual for its pair.

    Of those pairs alone whose machines differed so much that costs are only compared as on an equally fast one, and
    can be, as all evaluations tell.
    """
    pairs = _by_pair(run for row in among for run in row.done)
    uneven = [own for own in pairs if spread(own) > ALIKE and all(map(tells, own))]
    groups = ((own, median(map(_evaluation, own))) for own in uneven)
    return {run.metrics.cell: usual / _evaluation(run) for own, usual in groups for run in own}


def overloaded(rows: Iterable[Row], among: Iterable[Row]) -> list[Row]:
    """Rows whose `cost` says little, as a seed ran on an overloaded machine; not where evaluations tell how slow."""
    times = factors(among)
    return [row for row in rows if row.overloaded and not any(run.metrics.cell in times for run in row.done)]


def _by_pair(runs: Iterable[RecordedRun]) -> Iterator[list[RecordedRun]]:
    """Those of a study with the same evaluation: their student passes the test set."""

    def pair(run: RecordedRun) -> tuple[str, ...]:
        return run.metrics.study, run.metrics.dataset, run.metrics.teacher, run.metrics.student

    return (list(own) for _, own in itertools.groupby(sorted(runs, key=pair), key=pair))


def _evaluation(run: RecordedRun) -> float:
    return _seconds(run.metrics, run.config)


def _seconds(result: Metrics, config: Mapping[str, Any]) -> float:
    """Of one evaluation; 0 where a record of older code or of somebody else does not tell how many there were."""
    epochs = config.get("epochs")
    return result.cost.evaluation / epochs if isinstance(epochs, int) and epochs > 0 else 0.0
