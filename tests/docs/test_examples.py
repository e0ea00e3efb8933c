"""The examples of the pages on tables and figures do what the pages say."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from harness.reporting import quantities as q
from harness.reporting import runs
from harness.reporting.figures import naming, plot
from harness.reporting.figures.canvas import Key, panels
from harness.reporting.figures.gallery import Kind, Subject
from harness.reporting.figures.look import Look, leading, looks
from harness.reporting.quantities import FINAL, PEAK_MEMORY
from harness.reporting.rows import Row, group, metric
from harness.reporting.tables import standard
from harness.reporting.tables.builder import Shown
from harness.reporting.tables.markdown import to_markdown
from harness.reporting.tables.standard import Spec
from tests import factory

DOCS = Path(__file__).parents[2] / "docs"


def examples(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)


def rows(folder: Path) -> list[Row]:
    for seed in (0, 1):
        factory.write(
            folder, factory.metrics(seed=seed, peak_memory_bytes=(1000 + seed) * 2**20, teacher_forwards=4000)
        )
    return group(runs.load(folder))


def test_a_table(tmp_path: Path) -> None:
    names: dict[str, Any] = {"Spec": Spec, "Shown": Shown, "q": q}
    exec(examples("add-a-table.md")[0], names)
    printed = to_markdown(standard._table(names["COST"], rows(tmp_path), {}))
    assert "| SSD-KD | 1,049,100,288 | 4,000 |" in printed  # 1000.5 MiB


def test_a_figure(tmp_path: Path) -> None:
    entry, function = examples("add-a-figure.md")
    names: dict[str, Any] = {"plot": plot, "panels": panels, "Key": Key, "naming": naming, "leading": leading}
    names |= {"PEAK_MEMORY": PEAK_MEMORY, "FINAL": FINAL, "metric": metric, "Kind": Kind}
    names |= {"Sequence": Sequence, "Row": Row, "Look": Look, "Figure": Figure}
    exec(function, names)
    exec(f"kinds = {{{entry}}}", names)
    found = rows(tmp_path)
    figure = names["kinds"]["memory"].draw(Subject(found, found, looks(found), tmp_path))
    (line,) = figure.axes[0].lines
    assert line.get_xydata().tolist() == [[1000.5, 90.5]]
