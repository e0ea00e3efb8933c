"""The benchmarks still run: nothing else uses them, and what they lean on moves."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parent.parent


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"benchmark_{name}", ROOT / f"benchmarks/{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ten_cells_are_written_and_listed(tmp_path: Path) -> None:
    options = ("--cells", "10", "--skip", "sync", "report", "--plans")
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks/scale.py", tmp_path, *options],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    head, line, shown = done.stdout.splitlines()
    assert (head, line) == ("| command | cells | seconds | MiB |", "|---|---:|---:|---:|")
    command, cells, seconds, size = (part.strip() for part in shown.strip("|").split("|"))
    assert (command, cells) == ("dkd list", "10")
    assert float(seconds) > 0
    assert float(size) > 1  # "exit 2" stands behind it where the command failed
    assert len(list(tmp_path.glob("results/large/*/*/*/*/*/metrics.json"))) == 10


def test_a_step_of_a_method_is_measured_beside_another_checkout_and_the_floors() -> None:
    command = [
        sys.executable,
        ROOT / "benchmarks/step_cost.py",
        "--before",
        ROOT,
        "--repeats",
        "1",
        "--batch",
        "2",
        "dfq",
    ]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr
    label, *cells = (cell.strip() for cell in done.stdout.splitlines()[-1].strip("|").split("|"))
    assert label == "dfq"
    for cell, least in zip(cells, (100, 0, 100, 0), strict=True):  # tensor operations of two networks, and ratios
        before, after = (float(number) for number in cell.split(" → "))
        assert min(before, after) > least
