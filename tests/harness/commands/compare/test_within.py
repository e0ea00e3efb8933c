"""What seeds explain, and what they do not."""

from __future__ import annotations

import math

import pytest
from scipy.stats import ttest_ind

from harness.commands.compare.within import further, judge

CASES = [
    ([87.07, 84.1, 90.0], [82.67, 80.2, 86.9]),
    ([95.1, 95.5, 95.8], [90.0, 90.2, 90.1]),
    ([70.0, 71.0], [69.0, 75.0, 80.0, 61.0]),
    ([50.0, 50.1, 50.2], [50.0, 50.01, 49.99]),
    ([10.0, 12.0, 11.0], [10.5, 11.5, 11.0]),
]


@pytest.mark.parametrize(("before", "after"), CASES)
def test_as_welch_s_test(before: list[float], after: list[float]) -> None:
    verdict = judge(before, after)
    assert verdict is not None
    interval = ttest_ind(after, before, equal_var=False).confidence_interval(0.99)
    assert verdict.difference - verdict.limit == pytest.approx(interval.low)
    assert verdict.difference + verdict.limit == pytest.approx(interval.high)
    assert verdict.within == (interval.low <= 0 <= interval.high)


@pytest.mark.parametrize(("values", "quantile"), [([70.0, 71.0], 12.706), ([70.0, 70.0, 73.0, 75.0], 3.182)])
def test_where_a_further_seed_lies(values: list[float], quantile: float) -> None:
    """Quantiles of t at 97.5 % with 1 and 3 degrees of freedom, as they stand in every table."""
    n, mean = len(values), sum(values) / len(values)
    sd = (sum((value - mean) ** 2 for value in values) / (n - 1)) ** 0.5
    interval = further(values)
    assert interval is not None
    assert interval.low == pytest.approx(mean - quantile * sd * (1 + 1 / n) ** 0.5, abs=0.01)
    assert interval.high == pytest.approx(mean + quantile * sd * (1 + 1 / n) ** 0.5, abs=0.01)
    assert mean in interval and interval.high + 0.1 not in interval


def test_seeds_that_are_equal_do_not_say_that_the_next_one_is() -> None:
    interval = further([70.0, 70.0])
    assert interval is not None and 70.5 in interval and 69.5 in interval and 70.51 not in interval
    assert further([70.0]) is None


def test_of_many_cells_at_once_each_may_lie_further_off() -> None:
    """Twenty cells at 5 % together are 0.25 % each: t(0.99875) with one degree of freedom is tan(0.49875 π)."""
    interval = further([70.0, 71.0], among=20)
    assert interval is not None
    assert interval.high == pytest.approx(70.5 + math.tan(0.49875 * math.pi) * 0.5**0.5 * 1.5**0.5)


def test_one_seed_says_nothing() -> None:
    assert judge([1.0], [1.0, 2.0]) is None
    assert judge([1.0, 2.0], []) is None


def test_seeds_that_do_not_differ() -> None:
    same, other = judge([5.0, 5.0], [5.0, 5.0, 5.0]), judge([5.0, 5.0], [5.5, 5.5])
    assert same is not None and same.within
    assert other is not None and not other.within
    assert str(other) == "NOT within ± 0.00, what the seeds differ by"
