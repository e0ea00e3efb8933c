"""The reference script: what it does in which order, that it goes on, and what it keeps."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks import reference
from tests import factory


def named(task: reference.Task) -> str:
    return " ".join(task.command[3:5])


def test_the_order_of_the_work(tmp_path: Path) -> None:
    found = [named(task) for task in itertools.islice(reference.tasks(tmp_path / "results"), 14)]
    assert found[0] == "train-teacher cifar10"
    cell = "run one-gpu/cifar10/wrn40_2--wrn16_1"
    assert [name for name in found if name.startswith("run")] == [
        f"{cell}/ssd-kd/scale-10/seed-0",
        f"{cell}/kd-real/scale-10/seed-0",
        f"{cell}/kd-real/scale-100/seed-0",
        f"{cell}/fast-2/scale-100/seed-0",
        f"{cell}/dafl-cmi/scale-100/seed-0",
        f"{cell}/ssd-kd/scale-10/seed-0",  # again
        f"{cell}/ssd-kd/scale-10/seed-1",
    ]


def test_everything_has_a_result_of_its_own(tmp_path: Path) -> None:
    cells = [task.result for task in reference.tasks(tmp_path / "results") if "run" in task.command]
    assert len(set(cells)) == len(cells) > 180
    again = [path for path in cells if "results-again" in path.parts]
    assert len(again) == 1


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Commands, each of which leaves its result behind."""
    seen: list[str] = []

    def run(command: tuple[str, ...], **_: Any) -> None:
        seen.append(" ".join(command[3:5]))
        at = Path(command[command.index("--out" if "--out" in command else "--results") + 1])
        where = at / "teachers" / command[4] / command[5] if command[3] == "train-teacher" else at / command[4]
        where.mkdir(parents=True)
        (where / ("teacher.json" if command[3] == "train-teacher" else "metrics.json")).touch()

    monkeypatch.setattr(subprocess, "run", run)
    return seen


def test_it_goes_on_where_it_was_stopped(tmp_path: Path, started: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert not reference.run(tmp_path / "results", reference.GRACE - 1, only_first=True)
    assert started == []
    ticks = itertools.count(step=100.0)
    monkeypatch.setattr(reference.time, "monotonic", lambda: next(ticks))
    assert not reference.run(tmp_path / "results", 350, only_first=True)
    assert len(started) == 3
    monkeypatch.undo()


def test_all_is_done_in_the_end(tmp_path: Path, started: list[str]) -> None:
    assert reference.run(tmp_path / "results", 3600, only_first=True)
    assert len(started) == 1 + 15 + 1
    assert reference.run(tmp_path / "results", 3600, only_first=True)
    assert len(started) == 17


def test_a_stopped_command_ends_the_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*_: Any, timeout: float, **__: Any) -> None:
        raise subprocess.TimeoutExpired("dkd", timeout)

    monkeypatch.setattr(subprocess, "run", run)
    assert not reference.run(tmp_path / "results", 3600, only_first=True)


def test_a_failed_command_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def run(command: tuple[str, ...], **_: Any) -> None:
        seen.append(command[3])
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "run", run)
    assert not reference.run(tmp_path / "results", 3600, only_first=True)
    assert seen.count("run") == 16


def test_records_alone_are_kept(tmp_path: Path) -> None:
    results = tmp_path / "results"
    cell = factory.write(results, factory.metrics("ssd-kd"))
    unfinished = factory.write(results, factory.metrics("fast"))
    (unfinished / "metrics.json").unlink()
    factory.untrained_teacher(results)
    run = next((cell / "runs").iterdir())
    (run / "student.safetensors").write_bytes(b"weights")
    (run / "checkpoint.pt").write_bytes(b"checkpoint")
    kept = tmp_path / "records"
    assert reference.collect(results, kept) == len([path for path in kept.rglob("*") if path.is_file()])
    names = {path.name for path in kept.rglob("*") if path.is_file()}
    assert names == {"metrics.json", "events.jsonl", "manifest.json", "samples.png", "teacher.json"}
    assert not list(kept.rglob("fast"))


def test_the_command_line(tmp_path: Path) -> None:
    command = [sys.executable, "benchmarks/reference.py", "--minutes", "0.1", "--results", str(tmp_path / "r")]
    done = subprocess.run(
        [*command, "--records", str(tmp_path / "k")], capture_output=True, text=True, env={"PYTHONPATH": "."}
    )
    assert "not everything is done: give it again to go on; 0 records" in done.stdout, done.stderr
