"""The benchmarks still run: nothing else uses them, and what they lean on moves."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

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


def test_shares_of_a_step_are_those_of_the_operations_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    seen = {
        "aten::mm": 40,
        "aten::mkldnn_convolution": 20,
        "aten::native_batch_norm": 10,
        "aten::relu": 5,
        "aten::sort": 5,
    }
    events = [SimpleNamespace(key=key, self_cpu_time_total=time, cpu_time_total=time) for key, time in seen.items()]
    step = SimpleNamespace(key="step", self_cpu_time_total=20, cpu_time_total=100)
    found = load("step_profile").shares([*events, step], "step")
    assert list(found.values()) == pytest.approx([0.6, 0.1, 0.05, 0.0, 0.05, 0.2])


def test_a_step_of_a_method_is_measured_beside_the_floors(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["step_cost.py", "--repeats", "1", "--batch", "2", "dfq"])
    load("step_cost").main()
    label, *cells = (cell.strip() for cell in capsys.readouterr().out.splitlines()[-1].strip("|").split("|"))
    assert label == "dfq"
    for cell, least in zip(cells, (100, 0, 100, 0), strict=True):  # tensor operations of two networks, and ratios
        assert float(cell) > least


def test_and_beside_another_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Worker:
        """Operations, and seconds of both steps: a checkout's, or those of the floors."""

        def __init__(self, checkout: Path, label: str, _: object) -> None:
            before, floors = checkout == tmp_path, label == "floors"
            self.operations = None if floors else (300, 50) if before else (200, 40)
            self.measure = lambda: (2.0, 1.0) if floors else (6.0, 4.0) if before else (5.0, 1.5)

        def stop(self) -> None: ...

    module = load("step_cost")
    monkeypatch.setattr(module, "Worker", Worker)
    found = module.compare("dfq", SimpleNamespace(before=tmp_path, repeats=3))
    assert found == ["dfq", "300 → 200", "3.00 → 2.50", "50 → 40", "4.00 → 1.50"]
