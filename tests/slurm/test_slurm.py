"""The grid on a real SLURM: cards, a requeued job, a lost node, a failing cell.

There is one /etc/slurm, so all of this runs in one process: pytest -n N --dist loadfile.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from harness.store import reading
from harness.store.layout import RunFolder
from harness.store.records import Manifest, Metrics
from tests import factory, processes
from tests.slurm import cluster
from tests.slurm.cluster import Cluster, until

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent

REASON = cluster.missing() or (
    None
    if importlib.util.find_spec("snakemake_executor_plugin_slurm")
    else "no SLURM executor: pip install 'dkd-bench[slurm]'"
)
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))

STUDY = """
study: cluster
dataset: digits
device: auto
checkpoint_seconds: 0.001
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [5]
seeds: [0, 1, 2, 3]
budget: {{steps: 240, epochs: 6, batch: 8}}
methods: {{waiting: {{method: {here}/waiting.py, folder: {folder}}}}}
"""
BROKEN = """
study: broken
dataset: digits
device: auto
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [5]
seeds: [0]
budget: {{steps: 240, epochs: 6, batch: 8}}
methods: {{failing: {{method: {here}/failing.py}}}}
"""
CELL = "cluster/digits/wrn10_1--cnn3_16/waiting/scale-5/seed-{}"
FAILING = "broken/digits/wrn10_1--cnn3_16/failing/scale-5/seed-0"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    started = Cluster(tmp_path_factory.mktemp("slurm"))
    with FileLock("/run/dkd-slurm.lock"):
        try:
            started.start()
            yield started
        finally:
            started.stop()


def snakemake(folder: Path, study: Path, *flags: str) -> subprocess.Popen[str]:
    """The grid by the profile that users have, with what this cluster needs: no accounting, quick looks."""
    command = [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", "--configfile", str(study)]
    command += ["--config", f"results={folder}/results", f"reports={folder}/reports"]
    command += ["--slurm-no-account", "--slurm-status-command", "squeue", "--slurm-logdir", f"{folder}/logs"]
    command += ["--slurm-init-seconds-before-status-checks", "2", "--seconds-between-status-checks", "2"]
    command += ["--default-resources", "slurm_partition=gpu", "mem_mb=1000", "runtime=30"]
    command += ["--set-resources", "distill:mem_mb=1000", "--latency-wait", "5", "--nolock", *flags]
    with (folder / "snakemake.log").open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, encoding="utf-8", start_new_session=True
        )


class Scenario:
    """One run of the whole grid, and what was seen meanwhile."""

    def __init__(self, folder: Path, slurm: Cluster) -> None:
        self.folder, self.slurm, self.results = folder, slurm, folder / "results"
        self.study = folder / "study.yaml"
        self.study.write_text(STUDY.format(here=HERE, folder=folder), encoding="utf-8")
        (folder / "broken.yaml").write_text(BROKEN.format(here=HERE), encoding="utf-8")
        (folder / "both.yaml").write_text("include: [study.yaml, broken.yaml]\n", encoding="utf-8")
        factory.untrained_teacher(self.results)
        (self.results / "teachers/digits/wrn10_1/ready").touch()
        self.first: list[dict[str, Any]] = []
        self.seen: list[dict[str, str]] = []
        """Jobs and their states, at every look until four cells wait."""

    def waiting(self) -> list[dict[str, Any]]:
        """Where processes wait in the middle of a cell."""
        found = (json.loads(path.read_text(encoding="utf-8") or "{}") for path in self.folder.glob("*-*.json"))
        return [place for place in found if place and _alive(place["pid"])]

    def four_wait(self) -> bool:
        self.seen.append(self.slurm.jobs())
        return len(self.waiting()) == 4

    def all_wait_again(self) -> bool:
        """Whether four cells wait, the three that were interrupted among them."""
        self.slurm.hurry()
        return len(self.waiting()) == 4

    def play(self) -> None:
        """Four cells wait in the middle; one job is requeued, one node is lost and comes back; then all may go on."""
        run = snakemake(self.folder, self.folder / "both.yaml")
        try:
            until(lambda: self.four_wait() or run.poll() is not None, "four cells run at a time")
            assert run.poll() is None, (self.folder / "snakemake.log").read_text(encoding="utf-8")
            self.first = self.waiting()
            requeued = next(place for place in self.first if place["SLURMD_NODENAME"] == "node1")
            subprocess.run(["scontrol", "requeue", requeued["job"]], check=True)
            until(lambda: not _alive(requeued["pid"]), "the requeued job ends")
            self.slurm.kill_node(2)
            lost = [place for place in self.first if place["SLURMD_NODENAME"] == "node2"]
            until(lambda: not any(_alive(place["pid"]) for place in lost), "the lost node's jobs end")
            until(lambda: "down" in self.slurm.ask("sinfo", "-h", "-n", "node2", "-o", "%t"), "the node counts as down")
            self.slurm.start_node(2)
            until(self.all_wait_again, "all three run again and wait")
            (self.folder / "go").touch()
            run.wait(timeout=cluster.DEADLINE)
        finally:
            (self.folder / "go").touch()
            if run.poll() is None:
                os.killpg(run.pid, 9)

    def metrics(self, cell: str) -> Metrics:
        return reading.read(self.results / cell / "metrics.json", Metrics)

    def manifest(self, cell: str) -> Manifest:
        run = self.results / cell / "runs" / self.metrics(cell).key
        return reading.read(run / "manifest.json", Manifest)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"
    except (OSError, IndexError):
        return False


@pytest.fixture(scope="module")
def played(slurm: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    scenario = Scenario(tmp_path_factory.mktemp("grid"), slurm)
    scenario.play()
    return scenario


def test_four_at_a_time_each_with_a_card_of_its_own(played: Scenario) -> None:
    cards = [(place["SLURMD_NODENAME"], place["CUDA_VISIBLE_DEVICES"]) for place in played.first]
    assert len(set(cards)) == 4
    assert {node for node, _ in cards} == {"node1", "node2"}
    assert all(card is not None and card.isdigit() for _, card in cards)
    assert max(list(states.values()).count("RUNNING") for states in played.seen) == 4
    assert any("PENDING" in states.values() for states in played.seen)


def test_everything_has_a_result(played: Scenario) -> None:
    assert {played.metrics(CELL.format(seed)).status for seed in range(4)} == {"done"}
    assert (played.folder / "reports/index.html").exists()


def test_interrupted_cells_end_bit_for_bit_as_undisturbed_ones(played: Scenario, tmp_path: Path) -> None:
    attempts = {seed: played.manifest(CELL.format(seed)).attempts for seed in range(4)}
    assert sorted(len(found) for found in attempts.values())[-3:] == [2, 2, 2]  # one requeued, two on the lost node
    results = tmp_path / "undisturbed"
    factory.untrained_teacher(results)
    for seed in range(4):
        places = ["--configfile", played.study, "--results", results]
        processes.run("harness", "run", CELL.format(seed), *places, check=True)
        mine = played.metrics(CELL.format(seed))
        theirs = reading.read(results / CELL.format(seed) / "metrics.json", Metrics)
        assert (mine.student_sha256, mine.final) == (theirs.student_sha256, theirs.final)
        runs = [root / CELL.format(seed) / "runs" / mine.key for root in (played.results, results)]
        curves = [[(e.n, e.step, e.metric) for e in reading.read_events(RunFolder(run))] for run in runs]
        assert curves[0] == curves[1]
        if len(attempts[seed]) > 1:
            assert mine.seconds.lost > 0
            assert attempts[seed][0].end is None


def test_a_failing_cell_stops_no_other_and_shows_its_reason(played: Scenario) -> None:
    assert played.metrics(FAILING).status == "failed"
    table = (played.folder / "reports/broken/tables/accuracy-time.md").read_text(encoding="utf-8")
    assert "the buffer holds 12 images, 13 were asked for" in table


def test_logs_are_kept(played: Scenario) -> None:
    logs = [path for path in (played.folder / "logs").rglob("*") if path.is_file()]
    assert len(logs) >= 5
    assert any(": done: " in path.read_text(encoding="utf-8") for path in logs)


SHORT = """
study: short
dataset: digits
device: auto
pairs: [{teacher: wrn10_1, student: cnn3_16}]
scales: [5]
seeds: [0, 1]
budget: {steps: 60, epochs: 3, batch: 8}
methods: {kd-noise: {}}
"""
GROUPS = ["--groups", "distill=cells", "--group-components", "cells=2"]
GROUPS += ["--set-resource-scopes", "gpu=local", "--resources", "gpu=1"]


ARRAY = ["--slurm-array-jobs", "distill"]


@pytest.mark.parametrize(("flags", "names"), [(ARRAY, "1_1 1_2"), (GROUPS, "1")], ids=["array", "group"])
def test_many_short_cells(slurm: Cluster, tmp_path: Path, flags: list[str], names: str) -> None:
    """In one submission, or in one job."""
    (tmp_path / "short.yaml").write_text(SHORT, encoding="utf-8")
    results = tmp_path / "results"
    factory.untrained_teacher(results)
    (results / "teachers/digits/wrn10_1/ready").touch()
    done = snakemake(tmp_path, tmp_path / "short.yaml", *flags).wait(timeout=cluster.DEADLINE)
    assert done == 0, (tmp_path / "snakemake.log").read_text(encoding="utf-8")[-3000:]
    found = [reading.read(path, Metrics) for path in factory.find_metrics(results)]
    assert [result.status for result in found] == ["done"] * 2
    jobs = sorted(path.stem for path in (tmp_path / "logs").rglob("*.log"))
    assert [job.split("_")[1:] for job in jobs] == [name.split("_")[1:] for name in names.split()]
