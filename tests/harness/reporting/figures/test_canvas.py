import re
import time
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from harness.reporting.figures.canvas import COLUMN_WIDTH, TEXT_WIDTH, Key, Margins, panels, save, style


def test_files_are_the_same_whenever_they_are_written_and_text_stays_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []
    for day in (0, 1):
        monkeypatch.setattr(time, "time", lambda day=day: 1_800_000_000.0 + 86_400 * day)
        with style():
            figure = Figure(figsize=(2, 2))
            figure.add_axes((0.2, 0.2, 0.7, 0.7)).set_title("WRN-40-2 → WRN-16-1")
            written.append([path.read_bytes() for path in save(figure, tmp_path / f"at.{day}")])
    assert written[0] == written[1]
    svg, _, pdf = written[0]
    assert "WRN-40-2 → WRN-16-1</text>" in svg.decode()
    assert b"CreationDate" not in pdf
    assert re.search(rb"/Subtype /Type0|/FontFile2", pdf)
    assert {path.name for path in tmp_path.iterdir()} == {
        f"at.{day}.{kind}" for day in (0, 1) for kind in ("svg", "png", "pdf")
    }


@pytest.mark.parametrize(("width", "lines"), [(TEXT_WIDTH, 2), (COLUMN_WIDTH, 5)])
def test_panels_keep_their_margins_at_both_widths(width: float, lines: int) -> None:
    margins = Margins(left=0.5, right=0.9, between=0.6)
    figure, axes = panels(5, 2.0, Key([], width), beside=margins)
    boxes = [panel.get_position() for panel in axes]
    inches = [(box.x0 * width, box.x1 * width, box.height * figure.get_figheight()) for box in boxes]
    assert len({round(box.y0, 6) for box in boxes}) == lines
    assert min(left for left, _, _ in inches) == pytest.approx(0.5)
    assert max(right for _, right, _ in inches) == pytest.approx(width - 0.9)
    assert [height for _, _, height in inches] == pytest.approx([2.0] * 5)
