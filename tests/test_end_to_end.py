"""The real workflow on a tiny grid: teacher, cells, MLflow and report, all by the real commands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import methods
from harness import config, engine, records, runner, storage, teachers
from harness.errors import UserError
from harness.records import Manifest, Metrics, TeacherRecord
from tests import factory

ROOT = Path(__file__).parent.parent


def test_smoke_grid(tmp_path: Path) -> None:
    folders = ["--config", f"results={tmp_path}/results", f"reports={tmp_path}/reports"]
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "--cores",
        "2",
        "--configfile",
        "workflow/config/smoke.yaml",
        *folders,
    ]
    done = subprocess.run([*command, "--nolock"], cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = [records.read(file, Metrics) for file in records.find_metrics(tmp_path / "results")]
    assert len(found) == len(methods.names()) + len(methods.REFERENCES)
    assert {metrics.status for metrics in found} == {"done"}
    assert all(metrics.steps == 4 and metrics.images == 130 for metrics in found)
    page = (tmp_path / "reports/index.html").read_text()
    assert all(metrics.key in page for metrics in found)
    teacher = records.read(tmp_path / "results/teachers/digits/wrn10_1/teacher.json", TeacherRecord)
    assert teacher.value >= 98.5
    assert {metrics.teacher_sha256 for metrics in found} == {teacher.sha256}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder with an untrained teacher."""
    factory.untrained_teacher(tmp_path)
    return tmp_path


STUDY = """
study: t
dataset: digits
device: cpu
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [5]
seeds: [0]
defaults: {{steps: 60, epochs: 3, batch: 8}}
methods: {{m: {{method: {method}}}}}
"""

BODY = """
from methods.references import KDNoise

class M(KDNoise):
    name = "m"
    def distill_step(self):
        {step}
"""


def run(results: Path, step: str) -> Metrics:
    method = results / "m.py"
    method.write_text(BODY.format(step=step))
    study = results / "t.yaml"
    study.write_text(STUDY.format(method=method))
    (cell,) = config.grid(config.load(study))
    return runner.run_cell(cell, results=results)


def test_an_exception_in_a_method_is_a_result(results: Path) -> None:
    metrics = run(results, "raise ValueError('no idea')")
    assert metrics.status == "failed"
    assert metrics.reason is not None
    assert metrics.reason.startswith("ValueError: no idea (m.py:")
    assert metrics.final is None


def test_nan_is_a_result(results: Path) -> None:
    metrics = run(results, "losses = super().distill_step(); losses['kd'] = losses['kd'] * float('nan'); return losses")
    assert metrics.status == "diverged"
    assert metrics.reason == "kd is nan in round 1 of 3"


def test_trouble_of_the_machine_is_not(results: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        run(results, "raise OSError(28, 'No space left on device')")
    assert not list(results.glob("t/**/metrics.json"))


def test_a_changed_teacher_is_refused(results: Path) -> None:
    weights = results / "teachers/digits/wrn10_1/teacher.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(UserError, match="dkd train-teacher digits wrn10_1 --replace"):
        run(results, "return super().distill_step()")


def test_a_teacher_below_its_floor_is_refused(results: Path) -> None:
    place = results / "teachers/digits/wrn10_1"
    record = records.read(place / "teacher.json", TeacherRecord)
    storage.write(place / "teacher.json", record.model_copy(update={"value": 97.0}))
    with pytest.raises(UserError, match="below its floor"):
        teachers.verify(place)


def test_a_damaged_checkpoint_is_named(results: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        run(results, "raise OSError(28, 'No space left on device')")
    (folder,) = results.glob("t/digits/*/*/*/*/runs/*")
    (folder / "checkpoint.pt").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(UserError, match="delete it to start this run again"):
        run(results, "raise OSError(28, 'No space left on device')")


def test_the_student_and_its_sheet_are_what_the_record_says(results: Path) -> None:
    metrics = run(results, "return super().distill_step()")
    folder = results / metrics.cell / "runs" / metrics.key
    assert storage.sha256(folder / "student.safetensors") == metrics.student_sha256
    assert storage.sha256(folder / "samples.png") == metrics.samples_sha256
    assert sum(metrics.class_counts or []) == sum(metrics.difficulty or []) == metrics.images == 65
    assert [event.step for event in records.read_events(folder / "events.jsonl")] == [1, 2, 3]
    assert not (folder / "checkpoint.pt").exists()
    assert records.read(folder / "manifest.json", Manifest).numbers == engine.NUMBERS


def test_an_unverified_teacher_makes_a_result_unverified(results: Path) -> None:
    record = results / "teachers/digits/wrn10_1/teacher.json"
    storage.write(record, records.read(record, TeacherRecord).model_copy(update={"data_verified": False}))
    assert not run(results, "return super().distill_step()").data_verified
