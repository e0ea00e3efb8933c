import re
from pathlib import Path

from harness.reporting.figures.gallery import KINDS, Subject, draw
from harness.reporting.figures.look import looks
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


def test_captions_say_what_the_classes_are_called(tmp_path: Path) -> None:
    names = [f"class-{number}" for number in range(14)]
    factory.write(tmp_path, factory.metrics(class_counts=[10] * 14, class_names=names))
    rows = group(load(tmp_path))
    captions = {picture.kind: picture.caption for picture in draw(rows, looks(rows), tmp_path / "out")["toy"]}
    for kind in ("samples", "synthetic"):
        assert captions[kind].endswith(f" Classes: {', '.join(names[:12])} and 2 more.")
    assert "Classes" not in captions["scale"]


def test_figures_are_drawn_for_both_widths_of_a_paper(tmp_path: Path) -> None:
    for label in ("kd-real", "a"):
        for scale in (10.0, 100.0):
            factory.write(tmp_path, factory.metrics(label, scale))
    rows = group(load(tmp_path))
    pictures = draw(rows, looks(rows), tmp_path / "out")["toy"]
    assert [picture.kind for picture in pictures] == list(KINDS)
    for picture in pictures:
        box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+) ", picture.column.read_bytes())
        assert box and float(box[1]) <= 3.4 * 72 + 0.01
        assert {path.suffix for path in picture.files} == {".svg", ".png", ".pdf"}
