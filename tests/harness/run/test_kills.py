"""A cell that dies at any operation on its files goes on, and ends as if it had not died.

A few points are tried here; `make soak` tries all of them, for all methods.
"""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import methods
from harness.commands.contract import tiny_cell
from harness.grid.cell import Cell
from harness.run import runner
from harness.store import reading
from harness.store.layout import RunFolder
from harness.store.records import Metrics
from tests import factory, faults, processes
from tests.slurm import waiting
from tests.slurm.cluster import until

ALL = methods.names()
FEW = 6
"""Points per method in the suite."""
TIMES = {"seconds", "cpu_seconds", "finished", "peak_memory_bytes", "energy_joules", "manifest_sha256", "events_sha256"}


def cell_of(name: str) -> Cell:
    """Four epochs of the method on 65 digits, a checkpoint after every round."""
    return replace(tiny_cell(name), checkpoint_seconds=1e-9)


class Ground:
    """Runs a cell in results folders of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.cell = folder, cell_of(name)
        torch.set_num_threads(1)
        self.undisturbed = self.results("undisturbed")
        code, self.operations, _ = faults.run(self.work(self.undisturbed), self.undisturbed)
        assert code == 0

    def results(self, name: str) -> Path:
        factory.untrained_teacher(self.folder / name)
        return self.folder / name

    def work(self, results: Path) -> Any:
        return lambda: runner.run_cell(self.cell, results=results)

    def outcome(self, results: Path) -> dict[str, Any]:
        """All that a run leaves behind, but for times."""
        metrics = reading.read(results / self.cell.name / "metrics.json", Metrics)
        run = results / self.cell.name / "runs" / metrics.key
        events = [
            event.model_dump(exclude={"time", "seconds", "cpu_seconds"})
            for event in reading.read_events(RunFolder(run))
        ]
        files = sorted(os.listdir(run))
        return {**metrics.model_dump(exclude=TIMES), "events": events, "files": files}

    def die_and_go_on(self, point: int, torn: bool) -> None:
        """Die at an operation, give the command again, compare with the undisturbed run, and count the seconds."""
        results = self.results(f"{point}{'-torn' * torn}")
        code, _, first = faults.run(self.work(results), results, die_at=point, torn=torn)
        if code == 0:
            return  # progress.json is written once a second: a quicker run has fewer operations
        assert code == faults.KILLED
        code, _, second = faults.run(self.work(results), results)
        assert code == 0, f"does not go on after operation {point}"
        assert self.outcome(results) == self.outcome(self.undisturbed), f"differs after operation {point}"
        seconds = reading.read(results / self.cell.name / "metrics.json", Metrics).seconds
        counted = seconds.end_to_end + seconds.evaluation + seconds.lost
        assert 0 < counted <= first + second, f"seconds are counted twice after operation {point}"
        assert seconds.lost >= 0


@pytest.mark.parametrize("name", ["ssd-kd", "dafl", "kd-noise"])
def test_a_few_points(name: str, tmp_path: Path) -> None:
    ground = Ground(tmp_path, name)
    assert ground.operations > 30
    for point in range(1, ground.operations, -(-ground.operations // FEW)):
        ground.die_and_go_on(point, torn=point % 2 == 0)


STUDY = """
study: t
dataset: digits
device: cpu
checkpoint_seconds: 0.000001
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [5]
seeds: [0]
budget: {{steps: 240, epochs: 6, batch: 8}}
methods: {{waiting: {{method: {method}, folder: {folder}}}}}
"""


def test_a_cell_that_is_really_killed_goes_on(tmp_path: Path) -> None:
    method = Path(waiting.__file__)
    (tmp_path / "t.yaml").write_text(STUDY.format(method=method, folder=tmp_path), encoding="utf-8")
    command = ["harness", "run", "t/*", "--configfile", tmp_path / "t.yaml", "--results"]
    results, undisturbed = tmp_path / "results", tmp_path / "undisturbed"
    for folder in (results, undisturbed):
        factory.untrained_teacher(folder)
    killed = processes.Process(*command, results)
    until(lambda: bool(list(tmp_path.glob("none-*.json"))), "the cell waits in the middle")
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    (tmp_path / "go").touch()
    for folder in (results, undisturbed):
        processes.run(*command, folder, check=True)
    mine, theirs = (reading.read(factory.find_metrics(folder)[0], Metrics) for folder in (results, undisturbed))
    assert mine.student_sha256 == theirs.student_sha256
    assert mine.seconds.lost > 0
    assert theirs.seconds.lost == 0


def test_a_report_that_is_really_killed_is_made_again(tmp_path: Path) -> None:
    for seed in range(3):
        for label in ("ssd-kd", "dafl", "kd-real"):
            factory.write(tmp_path / "results", factory.metrics(label, seed=seed))
    command = ["harness", "report", "--results", tmp_path / "results", "--out"]
    killed = processes.Process(*command, tmp_path / "killed")
    until(lambda: bool(list((tmp_path / "killed").rglob("*.svg"))), "the first figure is drawn")
    killed.kill()
    assert not (tmp_path / "killed/index.html").exists()
    for folder in ("killed", "undisturbed"):
        processes.run(*command, tmp_path / folder, check=True)
    kept = {file: [p for p in (tmp_path / file).rglob("*") if p.is_file()] for file in ("killed", "undisturbed")}
    names = [{str(path.relative_to(tmp_path / file)) for path in paths} for file, paths in kept.items()]
    assert {name for name in names[0] if not name.endswith(".tmp")} == names[1]
    pages = [(tmp_path / file / "index.html").read_bytes() for file in kept]
    assert pages[0] == pages[1]


@pytest.mark.soak
@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("name", ALL)
def test_every_point(name: str, torn: bool, tmp_path: Path) -> None:
    ground = Ground(tmp_path, name)
    for point in range(ground.operations):
        ground.die_and_go_on(point, torn)
