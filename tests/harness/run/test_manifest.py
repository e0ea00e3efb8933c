"""The manifest stays small, however often a run is begun."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest

from harness.commands import output, trace
from harness.grid import grid, study
from harness.reporting import columns, runs
from harness.run import manifest
from harness.run.run import Run
from harness.store import atomic, reading
from harness.store.layout import RunFolder
from harness.store.records import Manifest
from tests import factory
from tests.harness.run import test_runner


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """The manifest of a run that its machine's trouble ended."""
    factory.untrained_teacher(tmp_path)
    with pytest.raises(OSError, match="No space"):
        test_runner.run(tmp_path, "raise OSError(28, 'No space left on device')")
    (found,) = tmp_path.glob("t/**/manifest.json")
    return found


def told(path: Path) -> Manifest:
    return reading.read(path, Manifest)


@pytest.mark.parametrize("begun", [1, 5, 98, 99, 100, 101, 104, 250])
def test_the_first_and_the_last_attempts_are_told_and_the_others_counted(
    killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, begun: int
) -> None:
    """Each is told by its process id here."""
    template = told(killed).attempts[0]
    atomic.write(killed, told(killed).model_copy(update={"attempts": [template.model_copy(update={"pid": 1})]}))
    pids = deque(range(2, begun + 1))
    monkeypatch.setattr(manifest, "_attempt", lambda run: template.model_copy(update={"pid": pids.popleft()}))
    (cell,) = grid.expand(study.load_study(tmp_path / "t.yaml"))
    run = Run.of(cell, tmp_path)
    for _ in range(begun - 1):
        atomic.write(killed, manifest._begun(run))
    found = told(killed)
    everything = list(range(1, begun + 1))
    expected = everything if begun <= 100 else everything[:5] + everything[-95:]
    assert [attempt.pid for attempt in found.attempts] == expected
    assert [(number, attempt.pid) for number, attempt in found.numbered()] == [(pid, pid) for pid in expected]
    assert (found.begun, found.dropped) == (begun, begun - len(expected))
    lines = "\n".join(output.lines(trace.describe(RunFolder(killed.parent))))
    assert f"attempt {begun} " in lines
    assert ("no longer told" in lines) == (begun > 100)
    assert begun <= 100 or f"attempts 6 to {begun - 95} " in lines


def test_whoever_counts_attempts_counts_all(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics())
    (folder,) = factory.runs(cell)
    atomic.write(folder / "manifest.json", told(folder / "manifest.json").model_copy(update={"dropped": 1000}))
    factory.seal(folder, factory.metrics())
    (run,) = runs.load(tmp_path)
    assert columns.of(run)["attempts"] == 1001


def test_it_says_what_the_study_sets(killed: Path) -> None:
    assert told(killed).chosen == {"steps": 60, "epochs": 3, "batch": 8}
