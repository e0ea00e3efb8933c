"""`dkd verify` on a real run: what is true is said to be, and no forgery that agrees with itself gets through."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from harness import data, networks
from harness.commands import verify
from harness.engine.evaluate import Evaluator, Score
from harness.errors import UserError
from harness.grid import grid, study
from harness.run import runner
from harness.store import atomic, checking, reading, verdict
from harness.store.layout import Results, RunFolder
from harness.store.records import Manifest, Metrics, Verification
from harness.teachers import shelf
from tests import factory
from tests.harness.conftest import Command

CPU = torch.device("cpu")
STUDY = """
study: t
dataset: digits
device: cpu
pairs: [{teacher: wrn10_1, student: cnn3_16}]
scales: [5]
seeds: [0, 1]
budget: {steps: 60, epochs: 3, batch: 8}
methods: {kd-noise: {}}
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with two runs of a teacher who was measured."""
    results = tmp_path_factory.mktemp("made")
    dataset = data.load("digits")
    torch.manual_seed(0)
    teacher = networks.for_task("wrn10_1", dataset.task)
    recipe = dataset.teachers.recipe_for("wrn10_1", {"floor": 0.0})
    shelf.put(Results(results).teacher("digits", "wrn10_1"), "wrn10_1", teacher, dataset, CPU, recipe)
    (results / "t.yaml").write_text(STUDY, encoding="utf-8")
    for cell in grid.expand(study.load_study(results / "t.yaml")):
        assert runner.run_cell(cell, results=results).status == "done"
    return results


@pytest.fixture
def results(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def run(results: Path) -> RunFolder:
    """The first of the two."""
    return next(Results(results).runs())


def forge(run: RunFolder, **changes: object) -> None:
    """Change numbers wherever they stand, and seal everything again: no record contradicts another."""
    *earlier, last = run.events.read_text(encoding="utf-8").splitlines(keepends=True)
    values = json.loads(last)
    metric, agreement = changes.get("final", values["metric"]), changes.get("agreement", values["agreement"])
    line = json.dumps({**values, "metric": metric, "agreement": agreement})
    run.events.write_text("".join([*earlier, f"{line}\n"]), encoding="utf-8")
    best = max(reading.read_events(run), key=lambda event: event.metric)
    scores = {"best": best.metric, "best_epoch": best.epoch, **changes}
    factory.seal(run.path, reading.read(run.metrics, Metrics).model_copy(update=scores))
    checking.evidence(run, checking.current(run.cell))


def states(results: Path) -> list[str]:
    return [outcome.state for outcome in verify.verify(results)]


def test_what_is_true_is_verified_and_shown(results: Path, run: RunFolder, dkd: Command) -> None:
    code, out, err = dkd("verify", "--results", results)
    assert (code, err) == (0, "")
    assert [line.split()[0] for line in out.splitlines()] == ["verified", "verified", "2"]
    result, found = reading.read(run.metrics, Metrics), reading.read(run.verified, Verification)
    assert (found.metric, found.agreement, found.problem) == (result.final, result.agreement, None)
    _, listed, _ = dkd("list", "--cells", "--configfile", results / "t.yaml", "--results", results)
    assert [line.endswith(", verified") for line in listed.splitlines()] == [True, True, False]
    _, traced, _ = dkd("trace", run.key, "--results", results)
    assert f"yes; {found.finished}, on {result.device_name}" in traced


def test_a_teacher_is_measured_once(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Evaluator] = []

    class Counted(Evaluator):
        def __init__(self, *given: object) -> None:
            super().__init__(*given)  # type: ignore[arg-type]
            made.append(self)

    monkeypatch.setattr(verify, "Evaluator", Counted)
    assert states(results) == ["verified", "verified"]
    assert len(made) == 1


@pytest.mark.parametrize("changes", [{"final": 99.9}, {"agreement": 99.9}, {"final": 80.0, "agreement": 0.5}])
def test_a_forgery_that_agrees_with_itself_is_found(
    changes: dict[str, float], results: Path, run: RunFolder, dkd: Command
) -> None:
    forge(run, **changes)
    code, out, _ = dkd("verify", "--results", results)
    assert code == 1
    first, second, _ = out.splitlines()
    name, value = next(iter(changes.items()))
    assert first.startswith("wrong") and f"{run.cell.name}  {name} is {value}, measured now " in first
    assert second.startswith("verified")
    _, listed, _ = dkd("list", "--cells", "--configfile", results / "t.yaml", "--results", results)
    assert f"NOT VERIFIED: {name} is {value}" in listed


def test_a_flipped_bit_in_the_student_is_found(results: Path, run: RunFolder) -> None:
    data = bytearray(run.student.read_bytes())
    data[len(data) // 2] ^= 1
    run.student.write_bytes(data)
    first, second = verify.verify(results)
    assert (first.state, second.state) == ("wrong", "verified")
    assert "student.safetensors: was changed after it was written" in first.detail


def test_other_weights_under_this_record_are_found(results: Path, run: RunFolder) -> None:
    """Sealed again, as if the run had ended with them."""
    weights = load_file(run.student)
    save_file({name: torch.zeros_like(value) for name, value in weights.items()}, run.student)
    factory.seal(run.path, reading.read(run.metrics, Metrics))
    assert states(results) == ["wrong", "verified"]


def test_a_teacher_who_is_not_as_good_as_its_record_says(results: Path) -> None:
    teacher = Results(results).teacher("digits", "wrn10_1")
    for path in (teacher.record, *(run.metrics for run in Results(results).runs()), *factory.find_metrics(results)):
        name = "value" if path == teacher.record else "teacher_metric"
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), name: 99.5}), encoding="utf-8")
    found = list(verify.verify(results))
    assert [outcome.state for outcome in found] == ["wrong", "wrong"]
    assert found[0].detail.startswith("teacher wrn10_1 is 99.5, measured now ")


def test_a_verdict_counts_only_for_the_metrics_it_was_given_on(results: Path, run: RunFolder) -> None:
    assert states(results) == ["verified", "verified"]
    assert verdict.words(run) == "verified"
    factory.seal(run.path, reading.read(run.metrics, Metrics).model_copy(update={"threads": 7}))
    assert verdict.words(run) == ""


def unusable(results: Path, run: RunFolder) -> Iterator[tuple[str, str]]:
    """What cannot be measured, and is neither right nor wrong: nothing is noted."""
    run.student.rename(run.student.with_suffix(".away"))
    yield "unverified", "without the student's weights"
    run.student.with_suffix(".away").rename(run.student)
    run.metrics.unlink()
    yield "unverified", "takes it back from the cell's copy"
    shutil.copy(run.cell.metrics, run.metrics)
    teacher = Results(results).teacher("digits", "wrn10_1")
    teacher.record.unlink()
    yield "unverified", "no teacher; train it"


def test_what_cannot_be_measured_is_named(results: Path, run: RunFolder) -> None:
    for state, told in unusable(results, run):
        first = next(verify.verify(results))
        assert (first.state, told in first.detail, run.verified.exists()) == (state, True, False), first
        assert "\n" not in str(first)


def test_a_failed_result_has_nothing_to_verify(results: Path, dkd: Command) -> None:
    factory.write(results, factory.metrics(status="failed", reason="ValueError: no idea"))
    code, out, _ = dkd("verify", "toy/*", "--results", results)
    assert code == 0
    assert out.startswith("nothing") and "failed: there is nothing to verify" in out


def test_a_record_that_contradicts_another_is_named(results: Path, run: RunFolder) -> None:
    values = json.loads(run.cell.metrics.read_text(encoding="utf-8"))
    run.cell.metrics.write_text(json.dumps({**values, "final": 99.9}), encoding="utf-8")
    assert states(results) == ["wrong", "verified"]


def test_a_pattern_that_matches_nothing(results: Path) -> None:
    with pytest.raises(UserError, match=r"no cell matches 'x/\*'"):
        list(verify.verify(results, "x/*"))


def elsewhere(results: Path, monkeypatch: pytest.MonkeyPatch, images: int, shift: float) -> list[str]:
    """What is found by a machine on which every score of ``images`` images comes out higher by ``shift`` percent."""

    class Shifted(Evaluator):
        @property
        def teacher(self) -> float:
            return super().teacher + shift

        def __call__(self, student: torch.nn.Module) -> Score:
            score = super().__call__(student)
            return Score(score.metric + shift, score.agreement + shift)

    monkeypatch.setattr(Shifted, "images", images)
    monkeypatch.setattr(verify, "Evaluator", Shifted)
    return states(results)


@pytest.mark.parametrize(
    ("images", "shift", "state"),
    [
        (10_000, 0.01, "verified"),
        (10_000, 0.02, "wrong"),
        (1_000_000, 0.01, "verified"),
        (500, 0.2, "verified"),
        (500, 0.4, "wrong"),
    ],
)
@pytest.mark.parametrize("other", ["device", "PyTorch"])
def test_another_device_or_pytorch_may_differ_by_one_image(
    images: int, shift: float, state: str, other: str, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert elsewhere(results, monkeypatch, images, shift) == ["wrong", "wrong"]
    if other == "device":
        monkeypatch.setattr(verify, "device_name", lambda device: "another")
    else:
        monkeypatch.setattr(verify.facts, "versions", lambda: {"torch": "99.0"})
    assert elsewhere(results, monkeypatch, images, shift) == [state, state]


def test_a_run_of_two_pytorches_may_differ_by_one_image(results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last attempt need not be the one that measured: a run that was killed at its end does nothing but end."""
    students = type("Students", (Evaluator,), {"images": 10_000, "__call__": _higher})
    monkeypatch.setattr(verify, "Evaluator", students)
    assert states(results) == ["wrong", "wrong"]
    for run in Results(results).runs():
        manifest = reading.read(run.manifest, Manifest)
        earlier = manifest.attempts[-1].model_copy(update={"versions": {"torch": "1.0"}})
        atomic.write(run.manifest, manifest.model_copy(update={"attempts": [earlier, *manifest.attempts]}))
        factory.seal(run.path, reading.read(run.metrics, Metrics))
    assert states(results) == ["verified", "verified"]


def _higher(evaluator: Evaluator, student: torch.nn.Module) -> Score:
    score = Evaluator.__call__(evaluator, student)
    return Score(score.metric + 0.01, score.agreement + 0.01)
