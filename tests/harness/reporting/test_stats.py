import pytest

from harness.reporting.stats import summarise


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
