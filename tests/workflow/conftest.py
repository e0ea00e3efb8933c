"""A workflow of its own in a temporary folder: the repository's Snakefile, the stub's command, two toy methods."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.store import atomic, reading
from harness.store.layout import Results
from harness.store.records import Plan
from tests import factory
from tests.processes import Process

ROOT = Path(__file__).parents[2]

STUDY = """\
study: toy
dataset: digits
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [100, 10]
seeds: [0]
methods:
  first: {{method: {folder}/first.py}}
  second: {{method: {folder}/second.py}}
"""

CELLS = {"first/scale-100/seed-0", "first/scale-10/seed-0", "second/scale-100/seed-0", "second/scale-10/seed-0"}
EVERYTHING = {"validate", "train-teacher", "sync", "report"} | CELLS


class Bench:
    """Runs Snakemake and tells what it had to do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results"
        self.study = folder / "study.yaml"
        self.study.write_text(STUDY.format(folder=folder), encoding="utf-8")
        self.write_method("first", "GAMMA = 1  # as in the paper\n")
        self.write_method("second", "GAMMA = 1\n")
        atomic.write(folder / "teacher.json", factory.teacher())
        atomic.write(folder / "metrics.json", factory.metrics())

    def write_method(self, name: str, text: str) -> None:
        (self.folder / f"{name}.py").write_text(text, encoding="utf-8")

    def command(self, *arguments: str, study: Path | None = None) -> list[str]:
        """Snakemake on this grid, on two cores."""
        return [*self.bare(study), "--cores", "2", *arguments]

    def bare(self, study: Path | None = None) -> list[str]:
        """Snakemake on this grid, with no more than what says where it is."""
        command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--directory", str(self.folder)]
        return [*command, "--configfile", str(study or self.study)]

    @property
    def environment(self) -> dict[str, str]:
        """What makes the stub stand for `dkd`."""
        stub = f"{sys.executable} {Path(__file__).with_name('fake_dkd.py')}"
        return {"DKD_COMMAND": stub, "STUB": str(self.folder), "PYTHONPATH": str(ROOT)}

    def start(self, *arguments: str, study: Path | None = None, **environment: str) -> Process:
        _, _, *command = self.command(*arguments, study=study)
        return Process(*command, environment=os.environ | self.environment | environment, folder=ROOT)

    def run(self, *arguments: str, study: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        """Its output and errors are one text."""
        done = self.start(*arguments, study=study, **environment).done()
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout + done.stderr)

    def work(self, *arguments: str, code: int = 0) -> list[str]:
        """What a run of Snakemake that ends with ``code`` did: the stub's expensive calls."""
        calls = self.folder / "calls.txt"
        calls.unlink(missing_ok=True)
        done = self.run(*arguments)
        assert done.returncode == code, done.stdout
        return calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []

    def metrics(self) -> dict[str, int]:
        """Cell -> time of its last writing, for every result that is there."""
        found = self.results.glob("toy/*/*/*/*/*/metrics.json")
        return {"/".join(path.parts[-4:-1]): path.stat().st_mtime_ns for path in found}

    def planned(self) -> set[str]:
        """The cells that reports are told of."""
        plan = reading.read(Results(self.results).planned("toy"), Plan)
        return {name.split("/", 3)[3] for name in plan.cells}


def left(folder: Path) -> list[int]:
    """Jobs of a grid that still live, whatever group they are in: all have inherited its environment."""
    mark, found = f"STUB={folder}\0".encode(), []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # another user's, or gone meanwhile
            if mark in (place / "environ").read_bytes() + b"\0":
                found.append(int(place.name))
    return found


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    yield Bench(tmp_path)
    while alive := left(tmp_path):
        for pid in alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
