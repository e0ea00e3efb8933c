import math
import random
from collections.abc import Callable

import pytest
from scipy.stats import ttest_ind

from harness.reporting.stats import TTest, student, summarise, welch

TABLE = {2: 12.7062, 3: 4.3027, 5: 2.7764}
"""n -> the 97.5 % quantile of Student's t with n - 1 degrees of freedom, as statistical tables print it."""


def verdict(values: list[float]) -> TTest:
    found = student(values)
    assert found is not None
    return found


def integral(density: Callable[[float], float], at: float, steps: int = 20_000) -> float:
    """From 0 to ``at``, by the midpoint rule."""
    return sum(density((i + 0.5) * at / steps) for i in range(steps)) * at / steps


def test_mean_and_sample_deviation() -> None:
    summary = summarise([1.0, 2.0, 6.0], expected=3)  # mean 3, deviations -2, -1, 3: sqrt(14 / 2)
    assert summary.mean == 3.0
    assert summary.sd == pytest.approx(7**0.5)
    assert summary.complete


def test_few_seeds() -> None:
    assert summarise([], 3).mean is None
    assert summarise([5.0], 3).sd is None
    assert not summarise([5.0, 6.0], 3).complete


def test_equal_values_have_no_deviation() -> None:
    assert summarise([11.2, 11.2, 11.2], 3).sd == 0.0  # a plain sum of these rounds


def test_the_range_of_the_seeds_in_any_unit() -> None:
    summary = summarise([3.0, 1.0, 8.0], 3).scaled(0.5)
    assert (summary.mean, summary.low, summary.high) == (2.0, 0.5, 4.0)
    assert summarise([], 3).scaled(2.0) == summarise([], 3)


def test_two_seeds_are_tested_by_cauchys_distribution() -> None:
    found = verdict([1.0, 3.0])  # mean 2, sd √2, so t = 2: one degree of freedom is Cauchy's, of which p is an arcus
    assert found.p == pytest.approx(1 - 2 * math.atan(2.0) / math.pi)
    assert (found.low, found.high) == pytest.approx((2 - TABLE[2], 2 + TABLE[2]), abs=1e-4)


def test_three_seeds_have_a_closed_form() -> None:
    found = verdict([0.5, 1.0, 3.0])
    t = 1.5 * math.sqrt(3) / math.sqrt(1.75)
    assert (found.mean, found.n) == (1.5, (3,))
    assert found.p == pytest.approx(1 - t / math.sqrt(t * t + 2))
    assert found.high - found.mean == pytest.approx(TABLE[3] * math.sqrt(1.75 / 3), rel=1e-4)


def test_more_seeds_against_the_density() -> None:
    differences = [0.3, -0.1, 0.9, 0.4, 1.1]
    found = verdict(differences)
    middle = sum(differences) / 5
    error = math.sqrt(sum((each - middle) ** 2 for each in differences) / 4 / 5)
    factor = math.gamma(2.5) / (math.sqrt(4 * math.pi) * math.gamma(2.0))
    within = 2 * integral(lambda t: factor * (1 + t * t / 4) ** -2.5, middle / error)
    assert found.p == pytest.approx(1 - within, abs=1e-7)
    assert (found.low, found.high) == pytest.approx((middle - TABLE[5] * error, middle + TABLE[5] * error), abs=1e-4)
    assert found.differs == (found.low > 0)


def test_the_sign_changes_ends_and_not_p() -> None:
    up, down = verdict([0.5, 1.0, 3.0]), verdict([-0.5, -1.0, -3.0])
    assert (up.low, up.high, up.p) == (-down.high, -down.low, down.p)


def test_one_seed_is_no_test_and_equal_values_leave_no_doubt() -> None:
    assert student([]) is None
    assert student([3.0]) is None
    assert verdict([0.0, 0.0]).p == 1.0
    assert verdict([0.4, 0.4, 0.4]).p == 0.0
    assert (verdict([0.4, 0.4]).low, verdict([0.4, 0.4]).high) == (0.4, 0.4)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [([90.0, 92.0, 91.0], [80.0, 81.5, 81.0]), ([70.0, 71.0], [69.0, 75.0, 80.0, 61.0]), ([5.0, 5.0, 5.0], [1.0, 2.0])],
)
def test_two_rows_as_scipy_tests_them(ours: list[float], theirs: list[float]) -> None:
    found = welch(ours, theirs)
    assert found is not None
    expected = ttest_ind(ours, theirs, equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert (found.low, found.high, found.p) == pytest.approx((interval.low, interval.high, expected.pvalue))
    assert found.n == (len(ours), len(theirs))
    assert found.differs == (expected.pvalue < 0.05)


def test_two_rows_of_which_no_seed_differs() -> None:
    assert welch([1.0], [2.0, 3.0]) is None
    same, other = welch([10.0, 10.0], [10.0, 10.0]), welch([10.0, 10.0], [12.0, 12.0])
    assert same is not None and (same.p, same.low, same.high) == (1.0, 0.0, 0.0)
    assert other is not None and (other.p, other.low, other.high) == (0.0, -2.0, -2.0)


def test_how_often_chance_alone_is_taken_for_a_difference() -> None:
    """Two rows of three seeds of one distribution, 2,000 times: one in twenty, or fewer, is said to differ."""
    draw = random.Random(0)
    tests = [welch(*([draw.gauss(50, 3) for _ in range(3)] for _ in range(2))) for _ in range(2000)]
    assert 0.02 < sum(test is not None and test.differs for test in tests) / 2000 < 0.055
