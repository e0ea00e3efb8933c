"""The notebook of docs runs from its first cell to its last, without Jupyter, and the examples of its page with it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from docs import columns
from harness.reporting.columns import COLUMNS
from tests import factory

DOCS = Path(__file__).parents[2] / "docs"
FINALS = {"ssd-kd": (80.0, 83.0), "fast-2": (70.0, 71.0), "fast-5": (70.0, 72.0)}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with results of three methods at two scales, two with equal options; one that failed; another study."""
    for label, finals in FINALS.items():
        for seed, final in enumerate(finals):
            for scale in (10.0, 1.0):
                method = label.removesuffix("-2").removesuffix("-5")
                result = factory.metrics(label, scale, seed, final=final - (scale == 1.0), method=method)
                factory.write(tmp_path / "results", result, config={"batch": 64, "gamma": finals[0], "lrs": [0.1]})
    factory.write(tmp_path / "results", factory.metrics("dafl", status="failed", reason="boom"))
    factory.write(tmp_path / "results", factory.metrics(study="other", final=1.0))
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")


def code() -> list[str]:
    cells = json.loads((DOCS / "explore.ipynb").read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


@pytest.mark.usefixtures("here")
def test_every_cell_runs() -> None:
    names: dict[str, Any] = {}
    for cell in code():
        exec(cell, names)
    means = names["table"]["mean"]
    assert means.loc[("Digits", "WRN-10-1 → CNN-3-16", "SSD-KD"), 10.0] == 81.5
    assert names["table"]["count"].loc[("Digits", "WRN-10-1 → CNN-3-16", "Fast-2"), 1.0] == 2
    assert names["BASE"] == "Fast-2"
    assert names["deltas"]["SSD-KD"].tolist() == [10.0, 12.0, 10.0, 12.0]
    assert list(names["options"]) == ["method_name", "config.gamma"]
    assert sorted(names["options"]["method_name"]) == ["Fast-2", "Fast-5", "SSD-KD"]
    left, right = names["figure"].axes
    assert len(left.containers) == len(right.lines) == 6
    assert "harness.load" in code()[0]


@pytest.mark.usefixtures("here")
def test_the_example_of_the_page() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", (DOCS / "notebook.md").read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    *statements, last = ast.parse(example).body
    exec("\n".join([*map(ast.unparse, statements), f"shown = {ast.unparse(last)}"]), names)
    assert names["shown"]["mean"].loc[("toy", "Digits", "WRN-10-1 → CNN-3-16", "SSD-KD"), 1.0] == 80.5


def test_no_output_is_kept() -> None:
    cells = json.loads((DOCS / "explore.ipynb").read_text(encoding="utf-8"))["cells"]
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


def test_importing_the_bench_is_light() -> None:
    loaded = "import sys, harness; print(*(name for name in ('pandas', 'torch', 'pydantic') if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == []


def test_every_column_is_described() -> None:
    page = (DOCS / "frame.md").read_text(encoding="utf-8").partition("## Of a learning curve")[0]
    for name in COLUMNS:
        (row,) = re.findall(rf"^\| `{re.escape(name)}` \| (.+?) \| (.+) \|$", page, re.MULTILINE)
        assert all(row)
    assert columns.meanings().keys() >= set(COLUMNS)
