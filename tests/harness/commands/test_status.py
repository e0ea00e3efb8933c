import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from harness.commands import differences, status
from harness.grid import grid, keys, study
from harness.store import atomic, occupancy, reading
from harness.store.records import Manifest, Progress, Seconds
from tests import factory

TEACHER = "teachers/digits/wrn10_1/teacher.json"
SECONDS = Seconds(startup=1.0, synthesis=1.0, distillation=1.0, evaluation=1.0)


class Bench:
    """One cell of a study whose method is a file of its own."""

    def __init__(self, folder: Path) -> None:
        self.results, self.method, self.file = folder / "results", folder / "mine.py", folder / "toy.yaml"
        self.method.write_text("ALPHA = 1\n", encoding="utf-8")
        self.configure("gamma: 2")
        self.teach(factory.TEACHER_SHA)

    def configure(self, options: str, budget: str = "") -> None:
        self.file.write_text(
            "study: toy\ndataset: digits\npairs: [{teacher: wrn10_1, student: cnn3_16}]\nscales: [10]\nseeds: [0]\n"
            f"methods: {{mine: {{method: {self.method}, {options}}}}}\nbudget: {{{budget}}}\n",
            encoding="utf-8",
        )
        (self.cell,) = grid.expand(study.load_study(self.file))

    def teach(self, sha256: str) -> None:
        record = factory.teacher().model_copy(update={"sha256": sha256})
        atomic.write(self.results / TEACHER, record)

    @property
    def key(self) -> str:
        return keys.cell_key(keys.plan_key(self.cell), factory.TEACHER_SHA)

    def finish(self, **changes: Any) -> Path:
        """A result as the cell stands now."""
        plan = keys.plan_key(self.cell)
        result = factory.metrics("mine", key=self.key, plan_key=plan, method=self.cell.method, **changes)
        factory.write(self.results, result)
        run = self.results / result.cell / "runs" / result.key
        now = {
            "sources": keys.sources(self.cell),
            "scheme": keys.SCHEME,
            "numbers": keys.NUMBERS,
            "data": keys.data(self.cell),
            "config": {"gamma": 2, "batch": 64},
        }
        atomic.write(run / "manifest.json", factory.manifest(result).model_copy(update=now))
        return run

    def begin(self) -> Path:
        run = self.results / self.cell.name / "runs" / self.key
        run.mkdir(parents=True)
        atomic.write(
            run / "progress.json",
            Progress(epoch=40, epochs=200, seconds=SECONDS, cpu_seconds=SECONDS, pid=os.getpid(), time=0.0),
        )
        return run

    def edit(self, text: str) -> None:
        self.method.write_text(text, encoding="utf-8")
        keys.forget()

    def status(self) -> tuple[str, str]:
        (found,) = status.of_grid([self.cell], self.results)
        return found.state, found.detail


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_waiting_for_its_turn_or_its_teacher(bench: Bench) -> None:
    assert bench.status() == ("waiting", "")
    (bench.results / TEACHER).unlink()
    assert bench.status() == ("waiting", "its teacher is not trained")


def test_done_shows_accuracy_and_time(bench: Bench) -> None:
    bench.finish(final=87.654)
    assert bench.status() == (
        "done",
        "87.65 % top1, 13.0 CPU s in 13.0 s",
    )  # 3 s start-up, 8 s synthesis, 2 s distillation


@pytest.mark.parametrize("state", ["failed", "diverged"])
def test_failures_show_their_reason(bench: Bench, state: str) -> None:
    bench.finish(status=state, reason="loss is nan in round 3", final=None, best=None)
    assert bench.status() == (state, "loss is nan in round 3")


def test_running_while_the_lock_is_held(bench: Bench) -> None:
    run = bench.begin()
    with FileLock(run / "lock"):
        assert bench.status() == ("running", "at epoch 40/200")
        (found,) = status.of_grid([bench.cell], bench.results)
        assert found.spent == SECONDS.startup + SECONDS.synthesis + SECONDS.distillation + SECONDS.evaluation
        (run / "progress.json").unlink()
        assert bench.status() == ("running", "starting")


def test_stopped_when_nobody_holds_the_lock(bench: Bench) -> None:
    run = bench.begin()
    (run / "lock").touch()
    assert bench.status() == ("waiting", "stopped at epoch 40/200")


def test_running_on_another_machine_while_its_progress_is_fresh(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    run = bench.begin()
    atomic.write(run / "manifest.json", factory.manifest(factory.metrics("mine")))  # says host node1
    monkeypatch.setattr(time, "time", lambda: occupancy.FRESH - 1)
    assert bench.status() == ("running", "at epoch 40/200")
    monkeypatch.setattr(time, "time", lambda: occupancy.FRESH + 1)
    assert bench.status() == ("waiting", "stopped at epoch 40/200")
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(occupancy.facts, "host", lambda: "node1")
    assert bench.status() == ("waiting", "stopped at epoch 40/200")


def test_stale_names_the_changed_file(bench: Bench) -> None:
    bench.finish()
    bench.edit("ALPHA = 1  # as in the paper\n")
    assert bench.status()[0] == "done"
    bench.edit("ALPHA = 2\n")
    assert bench.status() == ("stale", "method/mine.py changed")
    bench.edit("import methods.base.state\nALPHA = 2\n")
    assert bench.status() == ("stale", "method/mine.py changed; methods/base/state.py is new")


def test_stale_names_the_changed_option(bench: Bench) -> None:
    bench.finish()
    bench.configure("gamma: 1")
    assert bench.status() == ("stale", "gamma: 2 → 1")
    bench.configure("preset: original")
    assert bench.status() == ("stale", "preset: None → original")
    bench.configure("gamma: 2", budget="batch: 32")
    assert bench.status() == ("stale", "batch: 64 → 32")
    bench.configure("gamma: 2", budget="gamma: 3")
    assert bench.status() == ("stale", "a default or preset changed")  # it might be; nothing that was given did
    bench.configure("gamma: 1", budget="batch: 32, gamma: 3")
    assert bench.status() == ("stale", "batch: 64 → 32; gamma: 2 → 1")


def test_stale_names_the_changed_precision(bench: Bench) -> None:
    bench.finish()
    with bench.file.open("a", encoding="utf-8") as file:
        file.write("precision: bf16\n")
    (bench.cell,) = grid.expand(study.load_study(bench.file))
    assert bench.status() == ("stale", "precision: fp32 → bf16")


def test_stale_names_numbers(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "NUMBERS", 1)
    path = bench.finish() / "manifest.json"
    monkeypatch.setattr(keys, "NUMBERS", 2)
    assert bench.status() == ("stale", "NUMBERS of harness/grid/keys.py: 1 → 2")
    old = reading.read(path, Manifest).model_dump(mode="json", exclude={"numbers"})
    path.write_text(json.dumps(old), encoding="utf-8")
    assert bench.status() == ("stale", "a default, a preset or NUMBERS of harness/grid/keys.py changed")


def test_stale_names_an_earlier_way_of_computing_keys_and_nothing_that_it_makes_look_changed(bench: Bench) -> None:
    path = bench.finish() / "manifest.json"
    old = reading.read(path, Manifest).model_dump(mode="json", exclude={"scheme"}) | {"sources": {"mine.py": "0" * 64}}
    path.write_text(json.dumps(old), encoding="utf-8")
    bench.edit("ALPHA = 2\n")
    assert bench.status() == ("stale", "made by an earlier version, which computed keys in another way")


def test_stale_names_the_teacher(bench: Bench) -> None:
    bench.finish()
    bench.teach("00" * 32)
    assert bench.status() == ("stale", "the teacher was retrained")


def test_stale_and_running_again(bench: Bench) -> None:
    bench.finish()
    bench.configure("gamma: 1")
    with FileLock(bench.begin() / "lock"):
        assert bench.status() == ("running", "at epoch 40/200")
    assert bench.status() == ("stale", "gamma: 2 → 1; stopped at epoch 40/200")


def test_a_manifest_that_is_missing_makes_a_result_damaged(bench: Bench) -> None:
    (bench.finish() / "manifest.json").unlink()
    assert bench.status() == ("damaged", "manifest.json is missing")


@pytest.mark.parametrize(
    ("then", "now", "told"),
    [
        ("ab", "cd", ["the dataset's files changed"]),
        ("ab", None, ["the dataset's files are not here"]),
        ("", "cd", ["the dataset's files: official ones → any (verify)"]),
        ("cd", "", ["the dataset's files: any → official ones (verify)"]),
        ("", "", []),
    ],
)
def test_how_files_of_a_dataset_differ(then: str, now: str | None, told: list[str]) -> None:
    assert differences.of_data(then, now) == told


def test_damaged_metrics_must_rerun(bench: Bench) -> None:
    bench.finish()
    path = bench.results / bench.cell.name / "metrics.json"
    path.write_bytes(path.read_bytes()[:100])
    (found,) = status.of_grid([bench.cell], bench.results)
    assert (found.state, found.must_rerun, found.folder.metrics) == ("damaged", True, path)
    assert "EOF" in found.detail
