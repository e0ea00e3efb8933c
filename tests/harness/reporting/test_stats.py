import pytest

from harness.reporting.stats import pareto, summarise


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


def test_pareto_front() -> None:
    costs = [1.0, 2.0, 2.0, 3.0, 4.0, 5.0]
    values = [10.0, 30.0, 20.0, 30.0, 25.0, 40.0]
    assert pareto(costs, values) == [0, 1, 5]


def test_pareto_front_of_equal_points_and_of_none() -> None:
    assert pareto([1.0, 1.0], [5.0, 5.0]) == [0]
    assert pareto([], []) == []
