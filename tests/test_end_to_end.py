"""The real workflow on a tiny grid: teacher, cells, MLflow and report, by the real commands."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import methods
from harness.grid.grid import load_grid
from harness.run.runner import run_cell
from harness.store import reading
from harness.store.records import Metrics, TeacherRecord
from tests import factory

ROOT = Path(__file__).parent.parent
SMOKE = "workflow/config/smoke.yaml"
CELLS = load_grid(ROOT / SMOKE).cells


BY_JOBS = ("ssd-kd", "kd-real")


def snakemake(folder: Path, *selection: str, flags: Sequence[str] = ()) -> None:
    """Snakemake on the smoke grid, or a part of it, to its good end."""
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--configfile", SMOKE, "--nolock", *flags]
    command += ["--config", f"results={folder}/results", f"reports={folder}/reports", *selection]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, encoding="utf-8", timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("name", methods.names())
def test_the_smoke_grid_has_every_method(name: str) -> None:
    """Those of which numbers are committed, that is: a new method is a file, and nothing else."""
    if name in {cell.method for cell in CELLS}:
        return
    committed = json.loads((ROOT / "tests/numbers.json").read_text(encoding="utf-8"))["losses"]
    assert name not in committed, f"{name} is missing in {SMOKE}"
    pytest.skip(f"{name} is new: one line in {SMOKE} adds it to the smoke grid")


def test_smoke_grid(tmp_path: Path) -> None:
    """Two cells by Snakemake's jobs, and the others by what these call: a process of PyTorch for each takes minutes."""
    snakemake(tmp_path, f"methods={','.join(BY_JOBS)}", flags=["--until", "distill"])
    for cell in CELLS:
        if cell.label not in BY_JOBS:
            run_cell(cell, results=tmp_path / "results")
    snakemake(tmp_path)
    found = [reading.read(file, Metrics) for file in factory.find_metrics(tmp_path / "results")]
    assert {metrics.cell for metrics in found} == {cell.name for cell in CELLS}
    assert len(found) == len(CELLS) >= 11
    assert {metrics.status for metrics in found} == {"done"}
    assert {metrics.steps for metrics in found} == {4}
    # N, or as many as were made where a few rounds do not fill a buffer
    odd = [(one.label, one.images, one.images_synthesised) for one in found if one.images != 130]
    assert all(images == made < 130 for _, images, made in odd), odd
    page = (tmp_path / "reports/index.html").read_text(encoding="utf-8")
    assert all(metrics.key in page for metrics in found)
    teacher = reading.read(tmp_path / "results/teachers/digits/wrn10_1/teacher.json", TeacherRecord)
    assert teacher.value >= 96.0
    assert {metrics.teacher_sha256 for metrics in found} == {teacher.sha256}
