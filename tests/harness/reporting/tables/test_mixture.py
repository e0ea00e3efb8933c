from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.reporting.report import render
from harness.reporting.rows import group
from harness.reporting.runs import load
from harness.reporting.tables.mixture import check
from harness.store import atomic, reading
from harness.store.records import Manifest, Metrics
from tests import factory

ODD = "toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-10/seed-2"


def study(results: Path, **odd: Any) -> None:
    """Three seeds of two labels; seed 2 of the second differs."""
    for label in ("dafl", "ssd-kd"):
        for seed in range(3):
            change = odd if (label, seed) == ("ssd-kd", 2) else {}
            factory.write(results, factory.metrics(label, 10.0, seed, **change))


def edit_manifest(results: Path, **changes: Any) -> None:
    path = next(results.glob("*/*/*/ssd-kd/scale-10/seed-2/runs/*/manifest.json"))
    atomic.write(path, reading.read(path, Manifest).model_copy(update=changes))
    factory.seal(path.parent, reading.read(path.with_name("metrics.json"), Metrics))


def refusal(results: Path) -> str:
    with pytest.raises(UserError) as error:
        check(group(load(results)), mixed=False)
    return str(error.value)


def marked(results: Path) -> dict[str, str]:
    """Cell -> its note, where mixtures are accepted."""
    return {str(name): note for name, note in check(group(load(results)), mixed=True).items()}


def test_one_teacher_one_device_one_code(tmp_path: Path) -> None:
    study(tmp_path)
    assert check(group(load(tmp_path)), mixed=False) == {}


def test_teachers(tmp_path: Path) -> None:
    study(tmp_path, teacher_sha256="12" * 32)
    assert f"{'12' * 32} (1 run), {'7e' * 32} (5 runs)" in refusal(tmp_path)
    assert marked(tmp_path) == {ODD: "taught by 121212121212"}


def test_devices(tmp_path: Path) -> None:
    study(tmp_path, device="cuda", device_name="NVIDIA H200")
    assert "devices: NVIDIA H200 (1 run), Test CPU (5 runs)" in refusal(tmp_path)
    assert marked(tmp_path) == {ODD: "ran on NVIDIA H200"}


def test_a_processor_that_was_once_recorded_without_its_numbers_is_no_other(tmp_path: Path) -> None:
    study(tmp_path, device_name="Test CPU (family 25, model 17)")
    assert not check(group(load(tmp_path)), mixed=False)


def test_processors_with_other_numbers_are_others(tmp_path: Path) -> None:
    for seed, model in enumerate((1, 17)):
        factory.write(tmp_path, factory.metrics(seed=seed, device_name=f"AMD EPYC (family 25, model {model})"))
    with pytest.raises(UserError, match=r"devices: AMD EPYC \(family 25, model 1\) \(1 run\), AMD EPYC"):
        check(group(load(tmp_path)), mixed=False)


def test_precisions(tmp_path: Path) -> None:
    study(tmp_path, precision="bf16")
    assert "precisions: bf16 (1 run), fp32 (5 runs) (column precision)" in refusal(tmp_path)
    assert marked(tmp_path) == {ODD: "calculated in bf16"}


def test_a_precision_that_older_records_do_not_tell_is_none(tmp_path: Path) -> None:
    study(tmp_path, precision=None)
    assert check(group(load(tmp_path)), mixed=False) == {}


def test_code(tmp_path: Path) -> None:
    study(tmp_path)
    edit_manifest(tmp_path, sources={"methods/ssd_kd.py": "cd" * 32})
    assert "versions of methods/ssd_kd.py" in refusal(tmp_path)
    assert marked(tmp_path) == {ODD: "other code than most runs: commit c0ffee000000"}


def test_another_commit_with_the_same_sources_is_the_same_code(tmp_path: Path) -> None:
    study(tmp_path)
    path = next(tmp_path.glob("*/*/*/ssd-kd/scale-10/seed-2/runs/*/manifest.json"))
    attempt = reading.read(path, Manifest).attempts[0]
    edit_manifest(tmp_path, attempts=[attempt.model_copy(update={"commit": "d00d" * 10, "dirty": True})])
    assert check(group(load(tmp_path)), mixed=False) == {}


def test_a_lost_manifest_leaves_its_run_out_and_stops_no_other(tmp_path: Path) -> None:
    study(tmp_path)
    next(tmp_path.glob("*/*/*/ssd-kd/scale-10/seed-2/runs/*/manifest.json")).unlink()
    assert check(group(load(tmp_path)), mixed=False) == {}


def test_runs_that_do_not_count_mix_nothing(tmp_path: Path) -> None:
    study(tmp_path, device_name="elsewhere", status="failed", final=None)
    assert check(group(load(tmp_path)), mixed=False) == {}


def test_mixed_rows_are_marked_in_the_table(tmp_path: Path) -> None:
    study(tmp_path / "results", device="cuda", device_name="NVIDIA H200")
    with pytest.raises(UserError, match="would mix"):
        render(tmp_path / "results", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    render(tmp_path / "results", tmp_path / "out", mixed=True)
    table = (tmp_path / "out/toy/tables/accuracy-time.md").read_text(encoding="utf-8")
    assert "ran on NVIDIA H200" in table
    render(tmp_path / "results", tmp_path / "out", only={"device_name": ["Test CPU"]})
    assert "91.00" in table
    assert "ran on" not in (tmp_path / "out/toy/tables/accuracy-time.md").read_text(encoding="utf-8")
