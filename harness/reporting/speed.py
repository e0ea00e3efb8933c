"""How fast a run's machine was, told by its evaluations: the same work in every run of a pair."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from harness.reporting.runs import RecordedRun

ENOUGH = 10.0
"""Seconds of evaluations from which on they tell: on the digits they take half of one. Our choice."""


def tells(run: RecordedRun) -> bool:
    """Whether its evaluations took long enough."""
    return run.metrics.cost.evaluation >= ENOUGH


def relative_cost(run: RecordedRun) -> float:
    """Its cost end to end in evaluations of its own: comparable between machines, where they tell."""
    return run.metrics.cost.end_to_end / _evaluation(run)


def spread(runs: Iterable[RecordedRun]) -> float:
    """How many times as long evaluations took in the slowest run of a pair as in its fastest; 1 where nothing tells."""
    known = sorted((run for run in runs if tells(run)), key=_work)
    alike = [[_evaluation(run) for run in group] for _, group in itertools.groupby(known, key=_work)]
    return max((max(group) / min(group) for group in alike), default=1.0)


def _work(run: RecordedRun) -> tuple[str, ...]:
    """What an evaluation depends on: the student passes the test set."""
    return run.metrics.device, run.metrics.dataset, run.metrics.teacher, run.metrics.student


def _evaluation(run: RecordedRun) -> float:
    return run.metrics.cost.evaluation / int(run.config["epochs"])
