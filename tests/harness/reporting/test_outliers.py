import pytest

from harness.reporting.outliers import outlier


@pytest.mark.parametrize(
    ("values", "least", "index"),
    [
        ([80.0, 80.1, 70.0], 1.0, 2),  # 10 / 10.1 = 0.990 > 0.970
        ([80.0, 80.5, 70.0], 1.0, None),  # 10 / 10.5 = 0.952
        ([80.0, 80.0, 80.1], 1.0, None),  # 0.1 / 0.1 = 1, but what is a tenth of a point
        ([1.0, 9.0, 1.1, 1.3], 1.0, 1),  # 7.7 / 8 = 0.963 > 0.829
        ([1.0, 9.0, 1.1, 3.0], 1.0, None),  # 6 / 8 = 0.75
        ([5.0, 5.0, 5.0], 0.0, None),
        ([1.0, 9.0], 0.0, None),
        ([*[1.0] * 10, 9.0], 0.0, None),
        ([], 0.0, None),
    ],
)
def test_a_value_stands_apart_by_dixons_test(values: list[float], least: float, index: int | None) -> None:
    assert outlier(values, least) == index
