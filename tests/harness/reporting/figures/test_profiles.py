"""The figure of performance profiles: its lines hold what counting the pairs gives."""

from pathlib import Path

from harness.reporting.figures.gallery import draw
from harness.reporting.figures.look import looks
from harness.reporting.figures.profiles import SHOWN, profiles
from harness.reporting.profiles import profiles as found
from tests.harness.reporting.test_profiles import study


def test_a_staircase_per_method() -> None:
    rows = study(
        {"a": (90.0, 10.0), "b": (80.0, 5.0)},
        {"a": (90.0, 10.0), "b": (89.5, 10.0)},
        {"a": (70.0, 40.0), "b": (75.0, 10.0)},
    )
    (data,) = found(rows)
    cost, accuracy = profiles(data, looks(rows)).axes
    first = next(line for line in cost.get_lines() if line.get_color() == looks(rows)["a"].colour)
    assert [tuple(point) for point in first.get_xydata()[:-1]] == [(1.0, 0.0), (1.0, 1 / 3), (2.0, 2 / 3), (4.0, 1.0)]
    assert cost.get_xlim() == (1.0, 4.2)
    assert cost.get_xscale() == "log"
    assert accuracy.get_xlim() == (0.0, 10.5)


def test_no_more_methods_than_a_reader_follows() -> None:
    rows = study(*[{f"m{number}": (50.0 + number, 1.0) for number in range(SHOWN + 3)}] * 3)
    (data,) = found(rows)
    figure = profiles(data, looks(rows))
    drawn = [text.get_text() for text in figure.legends[0].get_texts()]
    assert sorted(drawn) == sorted(f"m{number}" for number in range(3, SHOWN + 3))  # the most accurate ones


def test_pairs_too_few_draw_none(tmp_path: Path) -> None:
    assert draw([], {}, tmp_path) == {}
    scores = {"a": (90.0, 1.0), "b": (80.0, 1.0)}
    assert found(study(scores, scores)) == []
