"""The Pareto front at one data scale: which methods buy accuracy with what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.reporting.quantities import FINAL, Quantity
from harness.reporting.rows import Row
from harness.reporting.stats import Summary

NOISE = "kd-noise"
"""The reference that a method must beat: distillation on images that hold nothing of the data."""
LUCK = 1.05
"""Times chance up to which an accuracy shows nothing. Our choice: what guesses reach once in twenty times on CIFAR-10's
10,000 test images."""


@dataclass(frozen=True)
class Point:
    """A row as a figure of accuracy and cost shows it."""

    row: Row
    cost: Summary
    accuracy: Summary

    def beats(self, other: Point) -> bool:
        """Whether this one is more accurate at a cost that is not clearly higher, or as accurate and cheaper."""
        ours, theirs = self.accuracy.mean or 0.0, other.accuracy.mean or 0.0
        if ours == theirs:
            return (self.cost.mean or 0.0) < (other.cost.mean or 0.0)
        return ours > theirs and (self.cost.low or 0.0) <= (other.cost.high or 0.0)


def points(rows: Sequence[Row], cost: Quantity) -> list[Point]:
    """The rows of which accuracy and cost are known."""
    found = [Point(row, row.summary(cost), row.summary(FINAL)) for row in rows]
    return [point for point in found if point.cost.n and point.accuracy.n]


def front(points: Sequence[Point], floor: float) -> list[Point]:
    """The points of methods that no other one beats, cheapest first; all are of one pair at one data scale.

    Only those count of which every seed lies above ``floor``: what costs little because it learned nothing is no
    bargain. A point beats another if its mean accuracy is higher and its cheapest seed costs no more than the other's
    dearest one. So a lower accuracy is on the front only where its cost is lower by more than the seeds differ, and
    none is there just for being fastest.
    """
    able = [point for point in points if not point.row.reference and exceeds(point.row, floor)]
    unbeaten = [point for point in able if not any(other.beats(point) for other in able)]
    return sorted(unbeaten, key=lambda point: (point.cost.mean or 0.0, point.row.label))


def floor(rows: Sequence[Row]) -> float:
    """What a method must exceed at a scale: luck, and the best seed of distillation on noise if there is one."""
    noise = [high for row in rows if row.method == NOISE and (high := row.summary(FINAL).high) is not None]
    return max([luck(rows), *noise])


def exceeds(row: Row, floor: float) -> bool:
    """Whether every seed of a row does, and there is one."""
    return (row.summary(FINAL).low or 0.0) > floor


def luck(rows: Sequence[Row]) -> float:
    """Percent that a guess reaches with even classes; 0 where no run of a dataset tells how many there are."""
    classes = max((len(run.metrics.class_counts or ()) for row in rows for run in row.done), default=0)
    return LUCK * 100 / classes if classes else 0.0
