"""Locks where the file system has none, and where they are somebody else's."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from filelock import Timeout

from harness.commands import prune
from harness.errors import UserError
from harness.grid.grid import expand
from harness.grid.study import load_study
from harness.machine import locks
from harness.run import runner
from harness.store import occupancy
from harness.store.layout import RunFolder
from harness.tracking import store
from tests import factory

STUDY = """
study: t
dataset: digits
device: cpu
pairs: [{teacher: wrn10_1, student: cnn3_16}]
scales: [10]
seeds: [0]
methods: {kd-noise: {}}
"""


@pytest.fixture(params=sorted(locks.NONE_TO_GIVE), ids=lambda number: errno.errorcode[number])
def _without(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system whose flock answers with this number."""

    def flock(handle: int, operation: int) -> None:
        raise OSError(request.param, os.strerror(request.param))

    monkeypatch.setattr(locks.fcntl, "flock", flock)


@pytest.mark.usefixtures("_without")
def test_a_file_system_without_locks_is_told(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="this file system has no locks"):
        locks.lock(tmp_path / "lock")


@pytest.mark.usefixtures("_without")
def test_nothing_is_recorded_for_it(tmp_path: Path) -> None:
    factory.untrained_teacher(tmp_path / "results")
    (tmp_path / "t.yaml").write_text(STUDY, encoding="utf-8")
    (cell,) = expand(load_study(tmp_path / "t.yaml"))
    with pytest.raises(UserError, match="this file system has no locks"):
        runner.run_cell(cell, results=tmp_path / "results")
    assert not list((tmp_path / "results").rglob("metrics.json"))
    assert not list((tmp_path / "results").rglob("manifest.json"))


@pytest.mark.usefixtures("_without")
def test_mlflow_says_the_same(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="this file system has no locks"), store.open_store(tmp_path / "results"):
        pass


@pytest.mark.usefixtures("_without")
def test_what_only_looks_goes_on(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics())
    (run,) = map(RunFolder, factory.runs(cell))
    run.lock.touch()
    assert locks.held(run.lock) is None
    assert occupancy.working(run) is False
    assert list(prune.old_runs(tmp_path)) == []


def test_held_and_free(tmp_path: Path) -> None:
    assert locks.held(tmp_path / "lock") is False
    with locks.lock(tmp_path / "lock"):
        assert locks.held(tmp_path / "lock") is True
        with pytest.raises(Timeout):
            locks.lock(tmp_path / "lock").acquire(blocking=False)
    assert (tmp_path / "lock").exists()
    assert locks.held(tmp_path / "lock") is False


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x", encoding="utf-8")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="symbolic links"):
        locks.lock(tmp_path / "lock")


def test_other_errors_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(handle: int, operation: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    with pytest.raises(OSError, match="Input/output"):
        locks.lock(tmp_path / "lock")
