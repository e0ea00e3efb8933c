"""The real Snakemake on the real Snakefile, with a stub in place of the training."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

METHOD = '''
from methods.base import Method

STRENGTH = 1

class Mine(Method):
    """Nothing."""
    name = "mine"
'''

STUDY = """
study: flow
dataset: digits
device: cpu
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [10]
seeds: [0, 1]
methods:
  mine: {{method: {method}}}
  dafl: {{}}
references: [kd-noise]
"""


@dataclass
class Flow:
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        stub = f"{shlex.quote(sys.executable)} -m tests.workflow.stub"
        return {**os.environ, "DKD_COMMAND": stub, "STUB_LOG": str(self.folder / "log"), "PYTHONPATH": str(ROOT)}

    def command(self, *arguments: str) -> list[str]:
        folders = ["--config", f"results={self.folder}/results", f"reports={self.folder}/reports"]
        return [
            *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", "2"),
            *("--workflow-profile", str(ROOT / "profiles/default"), "--directory", str(self.folder)),
            *("--configfile", str(self.folder / "flow.yaml"), *folders, *arguments),
        ]

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments), env=self.environment | environment, capture_output=True, text=True, timeout=300
        )

    def work(self) -> list[str]:
        """What was worked on since the last call."""
        log = self.folder / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return sorted("/".join(line.split("/")[-3:]) for line in lines)

    def results(self) -> dict[str, bytes]:
        files = self.folder.glob("results/flow/digits/*/*/*/*/metrics.json")
        return {str(file.relative_to(self.folder)): file.read_bytes() for file in files}

    def edit(self, old: str, new: str) -> None:
        file = self.folder / "mine.py"
        file.write_text(file.read_text().replace(old, new))


@pytest.fixture
def flow(tmp_path: Path) -> Flow:
    (tmp_path / "mine.py").write_text(METHOD)
    (tmp_path / "flow.yaml").write_text(STUDY.format(method=tmp_path / "mine.py"))
    return Flow(tmp_path)


MINE = ["mine/scale-10/seed-0", "mine/scale-10/seed-1"]
OTHERS = [f"{label}/scale-10/seed-{seed}" for label in ("dafl", "kd-noise") for seed in (0, 1)]


def test_only_what_changed_runs_again(flow: Flow) -> None:
    assert flow.run().returncode == 0
    assert flow.work() == sorted(["teacher wrn10_1", *MINE, *OTHERS])
    assert (flow.folder / "reports/index.html").exists()

    again = flow.run()
    assert "Nothing to be done" in again.stdout + again.stderr
    assert flow.work() == []

    flow.edit("STRENGTH = 1", "STRENGTH = 1  # a comment")
    assert flow.run().returncode == 0
    assert flow.work() == []

    flow.edit("STRENGTH = 1", "STRENGTH = 2")
    assert flow.run().returncode == 0
    assert flow.work() == MINE

    flow.edit("STRENGTH = 2", "STRENGTH = 1")
    assert flow.run().returncode == 0
    assert flow.work() == []


def test_a_failing_cell_stops_no_other_and_destroys_nothing(flow: Flow) -> None:
    failed = flow.run("--retries", "0", STUB_FAIL="mine/scale-10/seed-1")
    assert failed.returncode != 0
    assert len(flow.results()) == 5
    flow.work()
    assert flow.run().returncode == 0
    assert flow.work() == ["mine/scale-10/seed-1"]


def test_killed_snakemake_goes_on_after_unlock(flow: Flow) -> None:
    environment = flow.environment | {"STUB_HANG": "kd-noise"}
    process = subprocess.Popen(
        flow.command(), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        log = flow.folder / "log"
        if log.exists() and log.read_text().count("hang") == 2 and process.poll() is None:
            break
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = flow.results()
    flow.work()
    assert flow.run("--unlock").returncode == 0
    assert flow.run().returncode == 0
    assert all("run " not in line or "kd-noise" in line or line not in before for line in flow.work())
    after = flow.results()
    assert len(after) == 6
    assert all(after[name] == content for name, content in before.items())


def test_selection_and_its_errors(flow: Flow) -> None:
    plan = flow.run("-n", "-q", "rules")
    assert plan.returncode == 0, plan.stderr
    listing = flow.run("-n", "--config", "methods=dafl")  # the later --config replaces the folders; -n writes nothing
    assert listing.returncode == 0
    assert "dafl/scale-10/seed-1" in listing.stdout + listing.stderr
    assert "mine/" not in listing.stdout + listing.stderr

    wrong = flow.run("-n", "--config", "methods=dalf")
    assert wrong.returncode != 0
    assert "did you mean: dafl" in wrong.stderr
    assert "Traceback" not in wrong.stderr


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("dataset: digits", "dataset: digts", "did you mean: digits"),
        ("scales: [10]", "scales: [250]", "flow.yaml: scales.0"),
        ("scales: [10]", "scales: [0]", "flow.yaml: scales.0"),
        ("dafl: {}", "dalf: {}", "did you mean: dafl"),
        ("student: cnn3_16", "student: cnn3_61", "did you mean: cnn3_16"),
        ("seeds: [0, 1]", "seeds: [zero]", "flow.yaml: seeds.0"),
        ("study: flow", "study: flow\nstudio: flow", "did you mean: study"),
        ("references: [kd-noise]", "references: [kd-nose]", "did you mean: kd-noise"),
    ],
)
def test_bad_configuration_is_one_screen(tmp_path: Path, old: str, new: str, expected: str) -> None:
    from harness import config
    from harness.errors import ConfigError

    (tmp_path / "mine.py").write_text(METHOD)
    file = tmp_path / "flow.yaml"
    file.write_text(STUDY.format(method=tmp_path / "mine.py").replace(old, new))
    with pytest.raises(ConfigError, match=expected):
        config.load(file)


def test_planning_never_imports_torch() -> None:
    code = (
        "import sys; from pathlib import Path; from harness import config, keys, gpus, records, runner, status;"
        "cells = config.grid(config.load(Path('workflow/config/digits.yaml')));"
        "[keys.plan_key(cell) for cell in cells];"
        "assert 'torch' not in sys.modules and 'pandas' not in sys.modules and 'mlflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
