"""An MLflow that is down or cannot be written, through the real commands: cells go on, and sync catches up later."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.store import reading
from harness.store.records import Metrics
from tests import factory
from tests.harness.conftest import Command
from tests.harness.disks import Disk, small_disk
from tests.harness.tracking.test_sync import content

DOWN = "http://127.0.0.1:9"
ADVICE = "the records are untouched; repair the store or set MLFLOW_TRACKING_URI, then `dkd sync`"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", 8 * 2**20) as found:
        yield found


def test_a_cell_does_not_notice_that_mlflow_is_down(
    dkd: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "results"
    factory.untrained_teacher(results)
    study = tmp_path / "t.yaml"
    study.write_text(
        "study: t\ndataset: digits\ndevice: cpu\npairs: [{teacher: wrn10_1, student: cnn3_16}]\n"
        "scales: [5]\nseeds: [0]\nbudget: {steps: 60, epochs: 3, batch: 8}\nmethods: {kd-noise: {}}\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("MLFLOW_TRACKING_URI", DOWN)
    assert dkd("run", "t/*", "--configfile", study, "--results", results)[::2] == (0, "")
    (metrics,) = factory.find_metrics(results)
    assert reading.read(metrics, Metrics).status == "done"
    before = metrics.read_bytes()
    code, _, errors = dkd("sync", "--results", results)
    assert code == 2
    assert errors.startswith(f"error: MLflow store {DOWN} cannot be used: ")
    assert errors.splitlines()[1:] == [f"  {ADVICE}"]
    assert metrics.read_bytes() == before

    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert dkd("sync", "--results", results)[1] == "MLflow: 1 run created, 0 updated, 0 unchanged\n"


def test_a_store_that_becomes_readonly_is_caught_up_with_later(
    disk: Disk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results, undisturbed = tmp_path / "results", tmp_path / "undisturbed"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{disk.folder}/mlflow.db")
    factory.write(results, factory.metrics(seed=0))
    assert disk.dkd("sync", "--results", results).returncode == 0
    factory.write(results, factory.metrics(seed=1))
    if not disk.allow_writing(False):
        pytest.skip("nothing can be made read-only here: no tmpfs can be mounted, and permissions do not stop root")
    refused = disk.dkd("sync", "--results", results)
    disk.allow_writing(True)
    assert refused.returncode == 2
    assert "readonly database" in refused.stderr
    assert refused.stderr.splitlines()[1:] == [f"  {ADVICE}"]

    caught_up = disk.dkd("sync", "--results", results)
    assert caught_up.stdout == "MLflow: 1 run created, 0 updated, 1 unchanged\n", caught_up.stderr
    for seed in (0, 1):
        factory.write(undisturbed, factory.metrics(seed=seed))
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert disk.dkd("sync", "--results", undisturbed).returncode == 0
    assert content(disk.folder) == content(undisturbed)


def test_a_results_folder_that_cannot_be_written(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    factory.write(disk.folder, factory.metrics())
    if not disk.allow_writing(False):
        pytest.skip("nothing can be made read-only here: no tmpfs can be mounted, and permissions do not stop root")
    refused = disk.dkd("sync", "--results", disk.folder)
    disk.allow_writing(True)
    assert refused.returncode == 2
    assert ".sync.lock" in refused.stderr
    assert refused.stderr.splitlines()[1:] == [f"  {ADVICE}"]
