"""Which of a few seeds stands apart from the others: Dixon's Q test."""

from __future__ import annotations

from collections.abc import Sequence

CRITICAL = {3: 0.970, 4: 0.829, 5: 0.710, 6: 0.625, 7: 0.568, 8: 0.526, 9: 0.493, 10: 0.466}
"""Number of values -> gap / range beyond which the outermost one is an outlier at 95 % confidence, two-sided.

Rorabacher, Analytical Chemistry 63 (1991), 139-146, table 1.
"""


def outlier(values: Sequence[float], least: float) -> int | None:
    """Index of the value that stands apart; None if none does, or if these are fewer than 3 or more than 10.

    Args:
        least: a gap to its neighbour below this is none, however close the others are to each other.
    """
    if len(values) not in CRITICAL:
        return None
    order = sorted(range(len(values)), key=lambda index: values[index])
    ranked = [values[index] for index in order]
    ends = {order[0]: ranked[1] - ranked[0], order[-1]: ranked[-1] - ranked[-2]}
    index = max(ends, key=lambda end: ends[end])
    wide = ends[index] > CRITICAL[len(values)] * (ranked[-1] - ranked[0])
    return index if wide and ends[index] >= least else None
