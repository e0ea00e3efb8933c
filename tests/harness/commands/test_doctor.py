import shutil
import sqlite3
import subprocess
import types
from pathlib import Path
from typing import Any

import pytest

from harness.commands import doctor, output
from harness.machine import nvml
from harness.store.records import Seconds
from tests import factory


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def importing(monkeypatch: pytest.MonkeyPatch, versions: dict[str, str]) -> None:
    """Pretend that exactly these packages can be imported."""

    def imported(name: str) -> None:
        if name not in versions:
            raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(doctor.importlib, "import_module", imported)
    monkeypatch.setattr(doctor.importlib.metadata, "version", lambda name: versions[doctor.MODULES.get(name, name)])


ALL = dict.fromkeys(
    ("torch", "torchvision", "pandas", "scipy", "matplotlib", "jinja2", "numpy", "PIL", "pydantic"), "99.0"
)
ALL |= dict.fromkeys(("typer", "rich", "packaging", "yaml", "filelock", "safetensors", "pynvml"), "99.0")
ALL |= {"snakemake": "9.99", "mlflow": "3.99"}
"""Versions as new as they may be."""


def test_packages_all_there(monkeypatch: pytest.MonkeyPatch) -> None:
    importing(monkeypatch, ALL)
    found = list(doctor.packages())
    assert {check.what for check in found} >= {"torch", "pillow", "pyyaml", "snakemake"}
    assert all(check.ok for check in found)


def test_a_missing_package_is_needed_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    importing(monkeypatch, {name: version for name, version in ALL.items() if name not in ("torch", "mlflow")})
    missing = {check.what: check for check in doctor.packages() if not check.ok}
    assert set(missing) == {"torch", "mlflow"}
    assert (missing["torch"].needed, missing["mlflow"].needed) == (True, False)
    lines = list(output.lines(doctor.table(missing.values())))
    assert lines[0].startswith("MISSING  torch   ImportError: No module named 'torch'")
    assert lines[1].strip() == "→ pip install 'torch>=2.11'"
    assert lines[2].startswith("warning  mlflow  ImportError: No module named 'mlflow' (for dkd sync and dkd ui)")
    assert len(lines) == 4


@pytest.mark.parametrize(("name", "version"), [("torch", "2.9.1+cu130"), ("mlflow", "4.0")])
def test_a_package_that_is_too_old_or_too_new_is_missing(
    monkeypatch: pytest.MonkeyPatch, name: str, version: str
) -> None:
    importing(monkeypatch, ALL | {name: version})
    assert [check.what for check in doctor.packages() if not check.ok] == [name]


def test_gpus_without_a_cuda_build(monkeypatch: pytest.MonkeyPatch) -> None:
    listed = "NVIDIA A100, 40960 MiB, GPU-1, 550.1\n"
    monkeypatch.setattr(nvml.subprocess, "run", lambda *a, **k: subprocess.CompletedProcess(a, 0, listed, ""))
    monkeypatch.setattr(doctor, "_torch_sees_gpu", lambda: False)
    _, gpu, trouble = doctor.devices()
    assert (gpu.ok, gpu.found) == (True, "NVIDIA A100, 40960 MiB, GPU-1, 550.1")
    assert (trouble.ok, trouble.needed) == (False, True)


def test_no_gpu_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*arguments: Any, **more: Any) -> None:
        raise FileNotFoundError("nvidia-smi")

    monkeypatch.setattr(nvml.subprocess, "run", missing)
    assert [check.ok for check in doctor.devices()] == [True, True]


def test_a_dataset_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DKD_DATA", str(tmp_path))
    found = {check.what: check for check in doctor.datasets(tmp_path)}
    assert found["digits"].ok
    assert not found["cifar10"].ok
    assert not found["cifar10"].needed
    assert "missing" in found["cifar10"].found
    assert "dkd prepare cifar10" in found["cifar10"].fix
    hints = found["cifar10"].fix.split("; ")
    assert len(hints) > 1 and "" not in hints


@pytest.mark.parametrize(("free", "ok"), [(2 * 2**30, True), (2 * 2**30 - 1, False)])
def test_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: int, ok: bool) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: types.SimpleNamespace(free=free))
    check = doctor.disk(tmp_path / "not/there/yet")
    assert (check.ok, check.needed) == (ok, False)
    assert str(tmp_path) in check.found


def test_store(tmp_path: Path) -> None:
    assert "not there yet" in doctor.store(tmp_path).found
    connection = sqlite3.connect(tmp_path / "mlflow.db")
    connection.execute("CREATE TABLE experiments (name TEXT)")
    connection.execute("INSERT INTO experiments VALUES ('Default')")
    connection.execute("CREATE TABLE runs (lifecycle_stage TEXT)")
    connection.executemany("INSERT INTO runs VALUES (?)", [("active",), ("active",), ("deleted",)])
    connection.commit()
    connection.close()
    assert doctor.store(tmp_path).found.endswith("mlflow.db: 2 runs")
    (tmp_path / "mlflow.db").write_bytes(b"not a database" * 100)
    check = doctor.store(tmp_path)
    assert (check.ok, check.needed) == (False, False)
    assert "file is not a database" in check.found


def test_a_server_that_is_down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert not doctor.store(tmp_path).ok


def test_an_overloaded_machine_is_named(tmp_path: Path) -> None:
    idle = Seconds(startup=1.0, synthesis=10.0, distillation=10.0, evaluation=1.0)
    for label, factor in (("cmi", 1.0), ("dafl", 1.5), ("fast", 4.25)):
        wall = Seconds(startup=1.0, synthesis=10.0 * factor, distillation=10.0 * factor, evaluation=1.0)
        factory.write(tmp_path, factory.metrics(label, seconds=wall, cpu_seconds=idle))
    check = doctor.load(tmp_path)
    assert (check.ok, check.needed) == (False, False)
    worst = factory.metrics("fast").cell
    assert check.found == (f"2 cells ran on an overloaded machine, the worst {worst}: 4.2 wall s to a CPU s")
    assert doctor.load(tmp_path / "empty").ok


def test_a_folder_that_looks_like_a_cell_is_named(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics())
    stray = cell.with_name("seed-00")
    stray.mkdir()
    (check,) = (check for check in doctor.stored_records(tmp_path) if not check.ok)
    assert (check.what, check.needed) == ("folder", False)
    assert str(stray) in check.found
    assert "seed-1, not seed-01" in check.fix


def test_damaged_records_are_found_and_mended(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics("ssd-kd"))
    factory.write(tmp_path, factory.metrics("dafl"))
    (good,) = doctor.stored_records(tmp_path)
    assert (good.ok, good.found) == (True, f"4 read under {tmp_path}")

    teacher = tmp_path / "teachers/digits/wrn10_1/teacher.json"
    teacher.parent.mkdir(parents=True)
    run = cell / "runs" / factory.metrics("ssd-kd").key
    for path in (teacher, cell / "metrics.json", run / "events.jsonl"):
        path.write_bytes(b"{}\n")
    *damaged, last = doctor.stored_records(tmp_path)
    assert last.found == f"2 read under {tmp_path}"
    assert {check.found.split(":")[0]: check.fix for check in damaged} == {
        str(teacher): f"dkd train-teacher digits wrn10_1 --replace --results {tmp_path}",
        str(cell / "metrics.json"): f"remove {cell / 'metrics.json'}; the next run copies it back from runs/",
        str(run / "events.jsonl"): f"remove {run} and run the cell again",
    }
    assert not any(check.needed for check in damaged)
