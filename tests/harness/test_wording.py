import pytest

from harness.wording import count, some


@pytest.mark.parametrize(("number", "said"), [(0, "0 cells"), (1, "1 cell"), (2, "2 cells"), (1024, "1,024 cells")])
def test_one_of_several_is_no_plural(number: int, said: str) -> None:
    assert count(number, "cell") == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, []),
        (1, ["a"]),
        (2, ["a", "a"]),
        (3, ["a", "a", "and 1 more"]),
        (1026, ["a", "a", "and 1,024 more"]),
    ],
)
def test_of_many_the_first_are_said_and_how_many_more(number: int, said: list[str]) -> None:
    assert some(["a"] * number, 2) == said
