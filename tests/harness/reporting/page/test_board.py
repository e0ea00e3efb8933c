"""The first screen of a study, as it stands on the page."""

import re
from pathlib import Path

from harness.reporting.report import render
from tests import factory
from tests.harness.reporting.page.test_page import Page


def ranking(source: str, scale: str) -> list[list[str]]:
    """The lines of the leaderboard at a scale, its heading first."""
    start = source.index(f'id="board-toy/digits/wrn10_1--cnn3_16/scale-{scale}"')
    return Page(source[source.index("<table", start) : source.index("</table>", start) + len("</table>")]).lines


def test_it_stands_above_the_tables_beside_its_figure(reports: Path) -> None:
    source = (reports / "index.html").read_text(encoding="utf-8")
    verdict, board, figure = source.index('class="trust"'), source.index('class="board"'), source.index("<figure")
    assert verdict < board < figure < source.index("Accuracy and cost</h4>")
    assert "after the last epoch against end-to-end cost" in source[figure : source.index("</figure>", figure)]


def test_the_golden_study_in_its_order(reports: Path) -> None:
    head, *lines = ranking((reports / "index.html").read_text(encoding="utf-8"), "100")
    assert head[:3] == ["rank", "method", "top-1 (%)"]
    # Differences of fast-10 to ssd-kd: 3, 1, -4; of fast-2: -2, -1.5, -1 to fast-10, t = 5.2 at two degrees: p = 0.035.
    assert [(line[0], line[1].split()[0], line[7]) for line in lines] == [
        ("1=", "fast-10", "3/3"),
        ("1=", "SSD-KD", "3/3"),
        ("3", "fast-2", "3/3"),
        ("ref.", "Scratch", "3/3"),
    ]
    assert [line[2] for line in lines] == ["93.00 ± 0.00", "93.00 ± 3.61", "91.50 ± 0.50", "97.50 ± 0.50"]
    assert "○" in lines[2][5]


def test_a_row_without_a_result_stays(reports: Path) -> None:
    lines = ranking((reports / "index.html").read_text(encoding="utf-8"), "1")
    assert ["–", "fast-10 data-free", "failed", "–", "–", "–", "–", "0/3"] in lines


def test_tables_can_be_read_aloud(reports: Path) -> None:
    source = (reports / "index.html").read_text(encoding="utf-8")
    found = re.findall(r'<table class="result ranking">(.*?)</table>', source, re.S)
    assert len(found) == 3
    assert all(table.count("<caption>") == 1 for table in found)
    assert all(table.count('scope="col"') == 8 for table in found)
    assert all(table.count('scope="row"') == table.count('<td class="rank"') for table in found)


def test_names_and_reasons_are_escaped(tmp_path: Path) -> None:
    factory.write(tmp_path / "results", factory.metrics(final=None, status="failed", reason='"><b>x'))
    render(tmp_path / "results", tmp_path / "out")
    assert 'title="seed 0 failed: &#34;&gt;&lt;b&gt;x"' in (tmp_path / "out/index.html").read_text(encoding="utf-8")


def test_the_board_of_most_methods_is_open(tmp_path: Path) -> None:
    for label, scale in (("a", 100.0), ("a", 10.0), ("b", 10.0), ("a", 1.0), ("b", 1.0)):
        factory.write(tmp_path / "results", factory.metrics(label, scale))
    factory.write(tmp_path / "results", factory.metrics("b", 100.0, final=None, status="failed", reason="no"))
    render(tmp_path / "results", tmp_path / "out")
    source = (tmp_path / "out/index.html").read_text(encoding="utf-8")
    boards = re.findall(r'<details class="board" [^>]*data-scale="([\d.]+)"( open)?>', source)
    assert boards == [("100", ""), ("10", " open"), ("1", "")]
