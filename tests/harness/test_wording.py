import pytest

from harness.wording import count


@pytest.mark.parametrize(("number", "said"), [(0, "0 cells"), (1, "1 cell"), (2, "2 cells"), (1024, "1,024 cells")])
def test_one_of_several_is_no_plural(number: int, said: str) -> None:
    assert count(number, "cell") == said
