"""One cell through the runner: what counts as a result and what does not, and what its records say."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from harness import data, networks
from harness.commands import output, trace
from harness.errors import UserError
from harness.grid import grid, keys, study
from harness.machine import gpus
from harness.networks import weights
from harness.run import runner
from harness.store import atomic, occupancy, reading
from harness.store.layout import Results, RunFolder
from harness.store.records import Manifest, Metrics, TeacherRecord
from harness.teachers import shelf
from tests import factory

STUDY = """
study: t
dataset: digits
device: {device}
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [5]
seeds: [0]
budget: {{steps: 60, epochs: 3, batch: {batch}}}
methods: {{m: {{method: {method}}}}}
"""

BODY = """
from methods.references import KDNoise

class M(KDNoise):
    name = "m"
    def distill_step(self):
        {step}
"""
TEACHER = "teachers/digits/wrn10_1"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder with an untrained teacher."""
    factory.untrained_teacher(tmp_path)
    return tmp_path


def run(
    results: Path,
    step: str = "return super().distill_step()",
    device: str = "cpu",
    more: str = "",
    batch: int = 8,
) -> Metrics:
    method = results / "m.py"
    method.write_text(BODY.format(step=step), encoding="utf-8")
    file = results / "t.yaml"
    file.write_text(STUDY.format(method=method, device=device, batch=batch) + more, encoding="utf-8")
    (cell,) = grid.expand(study.load_study(file))
    return runner.run_cell(cell, results=results)


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("graphs: true", "graphs: true is for GPUs, and this run would be on a processor"),
        ("precision: tf32", r"t\.yaml:\d+: precision: tf32: .* cannot calculate so\n  valid choices: fp32, bf16"),
    ],
)
def test_what_needs_a_gpu_is_refused_without_one_before_anything_is_stored(
    results: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, said: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=said):
        run(results, device="auto", more=wanted)
    kept = {file.name for file in (results / "t").rglob("*") if file.is_file()}
    assert kept == {"lock"}


def test_records_say_in_which_precision_networks_calculated(results: Path) -> None:
    full, low = (run(results, more=f"precision: {precision}") for precision in ("fp32", "bf16"))
    assert (full.precision, low.precision) == ("fp32", "bf16")
    assert full.key != low.key and full.student_sha256 != low.student_sha256
    folder = Results(results).cell(low.cell).run(low.key)
    assert reading.read(folder.manifest, Manifest).precision == "bf16"
    student = networks.for_task("cnn3_16", data.load("digits").task)
    kept = weights.load_weights(student, folder.student).state_dict().values()
    assert {value.dtype for value in kept} <= {torch.float32, torch.int64}


def test_an_exception_in_a_method_is_a_result(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    metrics = run(results, "raise ValueError('no idea :key: [red]')")
    assert metrics.status == "failed"
    assert metrics.reason is not None
    assert metrics.reason.startswith("ValueError: no idea :key: [red] (m.py:")
    assert f"failed: {metrics.reason}" in capsys.readouterr().out
    assert metrics.final is None
    log = (results / metrics.cell / "runs" / metrics.key / "attempts.log").read_text(encoding="utf-8")
    assert "Traceback" in log
    assert "ValueError: no idea" in log


def test_nan_is_a_result(results: Path) -> None:
    metrics = run(results, "losses = super().distill_step(); losses['kd'] = losses['kd'] * float('nan'); return losses")
    assert metrics.status == "diverged"
    assert metrics.reason == "kd is nan in round 1 of 3"


def test_trouble_of_the_machine_is_not(results: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        run(results, "raise OSError(28, 'No space left on device')")
    assert not list(results.glob("t/**/metrics.json"))
    (manifest,) = results.glob("t/**/manifest.json")
    (attempt,) = reading.read(manifest, Manifest).attempts
    assert attempt.outcome == "error: OSError: [Errno 28] No space left on device"
    assert attempt.end is not None


def test_without_a_teacher_nothing_is_begun(results: Path) -> None:
    (results / TEACHER / "teacher.json").unlink()
    with pytest.raises(UserError, match="no teacher; train it: dkd train-teacher digits wrn10_1"):
        run(results)
    assert not (results / "t").exists()


def test_a_changed_teacher_is_refused(results: Path) -> None:
    weights = results / TEACHER / "teacher.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(UserError, match="dkd train-teacher digits wrn10_1 --replace"):
        run(results)


@pytest.mark.parametrize("moment", ["lock", "card", "loading"])
def test_a_teacher_that_is_replaced_while_a_cell_waits_is_another_run(
    moment: str, results: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record, its key and its student are those of a cell that began after the replacement."""
    old = reading.read(results / TEACHER / "teacher.json", TeacherRecord)
    fresh = tmp_path_factory.mktemp("fresh")
    new = another_teacher(fresh)
    expected = run(fresh)
    late = []

    def replace() -> None:
        if not late:
            late.append(another_teacher(results))

    if moment == "lock":
        hold = occupancy.hold
        monkeypatch.setattr(occupancy, "hold", lambda *a: replace() or hold(*a))  # type: ignore[func-returns-value]
    elif moment == "card":
        monkeypatch.setattr(gpus, "visible", lambda: ["GPU-0"])
        cards = [Card(), Card()]
        monkeypatch.setattr(gpus, "lease", lambda *_, **__: replace() or cards.pop())  # type: ignore[func-returns-value]
    else:
        load = weights.load_weights
        monkeypatch.setattr(weights, "load_weights", lambda *a: replace() or load(*a))  # type: ignore[func-returns-value]
    found = run(results, device="auto" if moment == "card" else "cpu")
    assert late == [new]
    assert (found.teacher_sha256, found.teacher_metric) == (new.sha256, new.value) != (old.sha256, old.value)
    assert found.key == keys.cell_key(found.plan_key, new.sha256)
    assert (found.student_sha256, found.final) == (expected.student_sha256, expected.final)
    assert not list(results.glob(f"{found.cell}/runs/{keys.cell_key(found.plan_key, old.sha256)}/metrics.json"))


class Card:
    """A lease of a card that is none."""

    waited = 0.0

    def release(self) -> None:
        """Nothing is held."""


def another_teacher(results: Path) -> TeacherRecord:
    """Another network in the place of the teacher."""
    torch.manual_seed(1)
    recipe = data.load("digits").teachers.recipe_for("wrn10_1", {"floor": 0.0})
    folder = Results(results).teacher("digits", "wrn10_1")
    model = networks.build("wrn10_1", 10, 1)
    record = shelf.put(folder, "wrn10_1", model, data.load("digits"), torch.device("cpu"), recipe)
    fixed = record.model_copy(update={"finished": "2026-01-01T00:00:00+00:00"})
    atomic.write(folder.record, fixed)
    return fixed


def test_a_teacher_below_its_floor_is_refused(results: Path) -> None:
    record = results / TEACHER / "teacher.json"
    atomic.write(record, reading.read(record, TeacherRecord).model_copy(update={"value": 97.0, "floor": 98.5}))
    with pytest.raises(UserError, match="below its floor"):
        run(results)


def test_a_damaged_checkpoint_is_named(results: Path) -> None:
    with pytest.raises(OSError, match="No space"):
        run(results, "raise OSError(28, 'No space left on device')")
    (folder,) = results.glob("t/digits/*/*/*/*/runs/*")
    (folder / "checkpoint.pt").write_bytes(b"PK\x03\x04 cut")
    with pytest.raises(UserError, match="delete it to start this run again"):
        run(results, "raise OSError(28, 'No space left on device')")


def test_the_student_and_its_sheet_are_what_the_record_says(results: Path) -> None:
    metrics = run(results)
    folder = results / metrics.cell / "runs" / metrics.key
    assert sha256(folder / "student.safetensors") == metrics.student_sha256
    assert sha256(folder / "samples.png") == metrics.samples_sha256
    assert metrics.class_names == list("0123456789")
    assert sum(metrics.class_counts or []) == sum(metrics.difficulty or []) == metrics.images == 65
    assert [event.step for event in reading.read_events(RunFolder(folder))] == [1, 2, 3]
    assert not (folder / "checkpoint.pt").exists()
    manifest = reading.read(folder / "manifest.json", Manifest)
    assert manifest.numbers == keys.NUMBERS
    assert (manifest.cell, manifest.key, manifest.plan_key) == (metrics.cell, metrics.key, metrics.plan_key)
    assert (manifest.config["steps"], manifest.config["epochs"], manifest.config["batch"]) == (60, 3, 8)
    assert (metrics.views, metrics.inner_steps) == (3 * 8, None)
    assert [attempt.outcome for attempt in manifest.attempts] == ["done"]


@pytest.mark.parametrize(
    ("batch", "forwards", "verdict"),
    [
        (8, 3 * 8, "at every draw: a view is drawn 0.041 times"),
        (256, 65 * 9, "once for every view: a view is drawn 1.3 times, answers take 0 MiB of 256 MiB that they may"),
    ],
)
def test_how_the_teacher_is_asked_is_told_once_and_recorded(
    results: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    batch: int,
    forwards: int,
    verdict: str,
) -> None:
    monkeypatch.setattr("harness.run.session.device_memory", lambda device: 2**30)
    metrics = run(results, batch=batch)
    assert metrics.teacher_forwards == forwards
    assert capsys.readouterr().out.count(f"the teacher is asked {verdict}") == 1
    manifest = reading.read(results / metrics.cell / "runs" / metrics.key / "manifest.json", Manifest)
    assert [(attempt.outcome, attempt.asking) for attempt in manifest.attempts] == [("done", verdict)]
    traced = output.lines(trace.describe(RunFolder(results / metrics.cell / "runs" / metrics.key)))
    assert any(f"asked {verdict}" in line for line in traced)
    placing = "on the device: 65 images take 0 MiB of 256 MiB that they may there"
    assert manifest.attempts[0].placing == placing
    assert any(placing in line for line in traced)
    assert metrics.flops is not None
    assert metrics.flops.synthesis == 0
    assert metrics.flops.distillation > forwards * a_look()


@pytest.mark.parametrize("there", [13_000, 12_999])
def test_images_that_fit_neither_on_the_device_nor_twice_in_main_memory_are_refused(
    results: Path, monkeypatch: pytest.MonkeyPatch, there: int
) -> None:
    """65 digits of 10 × 10 bytes with their border, a quarter of the device, and a checkpoint to go on from."""
    monkeypatch.setattr("harness.run.session.device_memory", lambda device: 4 * 6_500 - 1)
    monkeypatch.setattr("harness.machine.memory.available", lambda: there)
    if there == 13_000:
        assert run(results).status == "done"
        return
    with pytest.raises(UserError, match=r"images lie in main memory, .*GiB of main memory are wanted.*`scales` has"):
        run(results)
    assert not list(results.glob("t/**/metrics.json"))


def a_look() -> int:
    """Operations of one digit's way through wrn10_1, by PyTorch's own counter."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        networks.build("wrn10_1", 10, 1).eval()(torch.zeros(1, 1, 8, 8))
    return counter.get_total_flops()


def test_what_is_finished_is_copied_back_and_not_done_again(results: Path) -> None:
    first = run(results)
    copy = results / first.cell / "metrics.json"
    before = {path: path.stat().st_mtime_ns for path in copy.parent.glob("runs/*/*")}
    copy.unlink()
    assert run(results) == first
    assert copy.read_bytes() == (results / first.cell / "runs" / first.key / "metrics.json").read_bytes()
    assert {path: path.stat().st_mtime_ns for path in copy.parent.glob("runs/*/*")} == before


def test_an_unverified_teacher_makes_a_result_unverified(results: Path) -> None:
    record = results / TEACHER / "teacher.json"
    assert run(results).data_verified
    atomic.write(record, reading.read(record, TeacherRecord).model_copy(update={"data_verified": False}))
    assert not _again(results).data_verified


def _again(results: Path) -> Metrics:
    """The same cell with nothing finished."""
    for path in results.glob("t/**/metrics.json"):
        path.unlink()
    return run(results)


def test_a_line_per_epoch_is_said_and_logged(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where nobody watches a terminal: whole lines, as they stand in the log."""
    metrics = run(results)
    said = capsys.readouterr().out
    lines = [line.split(f" {metrics.cell}: ")[1] for line in said.splitlines()]
    assert [line.split("  ")[0] for line in lines] == [
        "the teacher is asked at every draw: a view is drawn 0.041 times",
        *(f"epoch {n}/3" for n in (1, 2, 3)),
        f"done: {metrics.final:.2f} %",
    ]
    assert (results / metrics.cell / "runs" / metrics.key / "attempts.log").read_text(encoding="utf-8") == said
