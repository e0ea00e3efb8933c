import pytest

from harness.reporting import text


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.0, "0"), (0.0123, "0.012"), (0.5, "0.50"), (7.0, "7.00"), (12.34, "12.3"), (1234.5, "1234")],
)
def test_numbers(value: float, printed: str) -> None:
    assert text.number(value) == printed


@pytest.mark.parametrize(
    ("seconds", "name"), [([], "s"), ([119.0], "s"), ([120.0], "min"), ([7199.0], "min"), ([7200.0], "h")]
)
def test_units(seconds: list[float], name: str) -> None:
    assert text.unit(seconds).name == name


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
