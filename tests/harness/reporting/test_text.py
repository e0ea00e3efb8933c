import pytest

from harness.reporting import text
from harness.reporting.stats import summarise


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.0, "0"), (0.0123, "0.012"), (0.5, "0.50"), (7.0, "7.00"), (12.34, "12.3"), (1234.5, "1234")],
)
def test_numbers(value: float, printed: str) -> None:
    assert text.number(value) == printed


@pytest.mark.parametrize(
    ("values", "printed"),
    [
        ([79.0, 80.0], "79.5 ± 0.7"),  # sd = 1 / sqrt(2)
        ([287.6, 17.3, 18.0], "108 ± 156"),  # deviations 180, -90.3, -89.6 of a mean of 107.6
        ([0.25], "0.25"),
        ([0.0, 0.0], "0"),
        ([1.23e-5, 1.23e-5], "< 0.001"),
        ([], "–"),
    ],
)
def test_times_have_their_deviation(values: list[float], printed: str) -> None:
    assert text.measured(summarise(values, 3)) == printed


@pytest.mark.parametrize(
    ("value", "printed"), [(0.5, "0.5"), (100.0, "100"), (1297.0, "1297"), (2500.0, "2.5k"), (50_000.0, "50k")]
)
def test_numbers_at_ticks(value: float, printed: str) -> None:
    assert text.tick(value) == printed


def test_differences_have_a_sign() -> None:
    assert text.difference(summarise([1.0, 3.0], 3)) == "+2.00 ± 1.41"
    assert text.difference(summarise([-1.25], 3)) == "−1.25"
    assert text.difference(summarise([], 3)) == "–"


def test_footnote_letters() -> None:
    assert [text.letters(i) for i in (0, 25, 26, 27, 51, 52, 701, 702)] == [
        "a",
        "z",
        "aa",
        "ab",
        "az",
        "ba",
        "zz",
        "aaa",
    ]
