from pathlib import Path

from harness.reporting.figures.gallery import KINDS, Subject, draw
from harness.reporting.figures.synthetic import focus
from harness.reporting.rows import group
from harness.reporting.runs import load
from tests import factory


def test_nothing_done_nothing_drawn(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics(status="failed", final=None))
    rows = group(load(tmp_path))
    subject = Subject(rows, focus(rows), {}, tmp_path)
    assert [name for name, kind in KINDS.items() if kind.draw(subject)] == []
    assert draw(rows, {}, tmp_path / "out") == {"toy": []}
    assert not (tmp_path / "out").exists()
