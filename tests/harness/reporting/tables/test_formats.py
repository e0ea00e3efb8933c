from pathlib import Path

from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.tables import standard
from harness.reporting.tables.latex import to_latex
from harness.reporting.tables.markdown import to_markdown
from tests import factory


def test_unusual_text_survives_markdown_and_latex(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics(status="failed", reason="a|b_c & 50%\n__x__"))
    table = standard.tables(group(load(tmp_path)), {})[0]
    assert r"seed 0 failed: a\|b_c & 50% \__x_\_" in to_markdown(table)
    assert r"seed 0 failed: a\textbar{}b\_c \& 50\% \_\_x\_\_." in to_latex(table, "toy")
