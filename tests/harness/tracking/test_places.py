"""The results folder's own store: made whole or not at all, moved with its folder, shared by a group."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from harness.commands import doctor
from harness.errors import UserError
from harness.tracking import sqlite, sync
from tests import factory, processes
from tests.harness.tracking.test_sync import client, content, stored
from tests.slurm.cluster import until
from tests.users import User, require

SYNC = ("harness", "sync", "--results")


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder that has been synced; to be copied, and not changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        results = tmp_path_factory.mktemp("synced") / "old place"
        factory.write(results, factory.metrics())
        sync.sync(results)
    return results


def dkd_sync(results: Path) -> str:
    """In a process of its own: MLflow keeps files open."""
    return processes.run(*SYNC, results, check=True).stdout


def half(file: Path, tables: tuple[str, ...]) -> None:
    """A store as a kill leaves it in the middle of MLflow's migrations."""
    with closing(sqlite3.connect(file)) as connection:
        for table in tables:
            connection.execute(f"CREATE TABLE {table} (experiment_id INTEGER, lifecycle_stage TEXT)")
        connection.commit()


HALVES = [(), ("alembic_version", "webhooks"), ("experiments", "runs", "alembic_version", "webhooks")]


@pytest.mark.parametrize("tables", HALVES, ids=len)
def test_a_half_made_store_is_recognised_and_made_anew(tables: tuple[str, ...], synced: Path, tmp_path: Path) -> None:
    results = tmp_path / "results"
    shutil.copytree(synced, results, ignore=shutil.ignore_patterns("mlflow*"))
    half(results / "mlflow.db", tables)
    (results / "mlflow.db-journal").write_bytes(b"")
    (results / ".mlflow.db.77.tmp").write_bytes(b"left by a kill")
    check = doctor.store(results)
    assert not check.ok
    assert "half made" in check.found
    assert "dkd sync makes it anew" in check.fix
    assert sync.sync(results).created == 1
    assert content(results) == content(synced)
    assert doctor.store(results).ok
    assert not list(results.glob(".mlflow.db.*"))


def test_a_half_made_store_elsewhere_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be anybody's database."""
    factory.write(tmp_path / "results", factory.metrics())
    half(tmp_path / "else.db", HALVES[1])
    before = (tmp_path / "else.db").read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/else.db")
    assert doctor.store(tmp_path / "results").fix == "remove it, then dkd sync"
    assert (tmp_path / "else.db").read_bytes() == before


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_store_that_cannot_be_finished_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    def cut_short(self: object) -> None:
        raise error

    monkeypatch.setattr(SqlAlchemyStore, "_initialize_store_state", cut_short)
    with pytest.raises(type(error) if isinstance(error, BaseException) else error):
        sync.sync(tmp_path / "results")
    assert [path.name for path in (tmp_path / "results").iterdir()] == [".sync.lock"]


def test_a_first_sync_that_is_killed_at_any_moment(tmp_path: Path, synced: Path) -> None:
    """Whatever of it was there: what stands under the store's name is whole, or is not there."""
    results = tmp_path / "results"
    shutil.copytree(synced, results, ignore=shutil.ignore_patterns("mlflow*"))
    process = processes.Process(*SYNC, results)
    until(lambda: bool(list(results.glob(".mlflow.db.*.tmp"))), "the store is being made")
    process.kill()
    assert not (results / "mlflow.db").exists()
    assert dkd_sync(results) == "MLflow: 1 run created, 0 updated, 0 unchanged\n"
    assert content(results) == content(synced)


def test_a_moved_folder_takes_its_store_along(synced: Path, tmp_path: Path) -> None:
    old, new = tmp_path / "old place", tmp_path / "new/place"
    shutil.copytree(synced, old)
    dkd_sync(old)  # the copy's artifacts are its own
    new.parent.mkdir()
    old.rename(new)
    assert dkd_sync(new) == "MLflow: 0 runs created, 0 updated, 1 unchanged\n"
    factory.write(new, factory.metrics(seed=1))
    assert dkd_sync(new) == "MLflow: 1 run created, 0 updated, 1 unchanged\n"
    assert not old.exists()
    texts = [path.read_text(encoding="utf-8") for path in new.rglob("mlflow.json")]
    assert len(texts) == 2
    assert not [text for text in texts if str(tmp_path) in text]
    for result in (factory.metrics(), factory.metrics(seed=1)):
        run_id = stored(new)[result.key].info.run_id
        downloaded = Path(client(new).download_artifacts(run_id, "samples.png", str(tmp_path)))
        assert downloaded.read_bytes() == (new / result.cell / "runs" / result.key / "samples.png").read_bytes()


def test_artifacts_of_others_stay_where_they_are(tmp_path: Path) -> None:
    """The bucket that somebody chose, and the folder of a store that is not in the results folder."""
    artifacts = tmp_path / "mlflow-artifacts"
    for uri in ("s3://bucket/toy", "file:///data/mlruns/0", "mlflow-artifacts:/1", None):
        assert sqlite._moved(uri, artifacts) == uri
    assert sqlite._moved("file:///old%20place/mlflow-artifacts/toy", artifacts) == f"{artifacts.as_uri()}/toy"


def test_two_users_of_one_group_share_a_store(synced: Path, tmp_path: Path) -> None:
    require()
    results = tmp_path / "results"
    shutil.copytree(synced, results, ignore=shutil.ignore_patterns("mlflow*"))
    for path in (tmp_path, *[results, *results.rglob("*")]):
        os.chown(path, 5001, 5000)
        path.chmod(0o2775 if path.is_dir() else 0o664)
    first, second, stranger = User(5001, 5000, 0o002), User(5002, 5000, 0o002), User(5003, 5003)
    assert "1 run created" in (done := first.dkd("sync", "--results", results)).stdout, done.stdout
    factory.write(results, factory.metrics(seed=1))
    for path in (results / factory.metrics(seed=1).cell).rglob("*"):
        os.chown(path, 5001, 5000)
        path.chmod(0o2775 if path.is_dir() else 0o664)
    assert "1 run created" in (done := second.dkd("sync", "--results", results)).stdout, done.stdout
    assert "2 unchanged" in (done := first.dkd("sync", "--results", results)).stdout, done.stdout
    made = [path for path in results.rglob("*") if path.is_file()]
    assert not [path for path in made if path.stat().st_mode & 0o060 != 0o060]
    refused = stranger.dkd("sync", "--results", results)
    assert refused.returncode in (1, 2)
    assert "permission" in refused.stdout.lower()
    assert "Traceback" not in refused.stdout


def test_a_store_that_is_not_ours_to_write_says_who_can_help(tmp_path: Path) -> None:
    require()
    results = tmp_path / "results"
    factory.write(results, factory.metrics())
    sync.sync(results)
    results.chmod(0o777)
    (results / ".sync.lock").chmod(0o666)
    refused = User(5002, 5000).dkd("sync", "--results", results)
    assert refused.returncode == 2
    assert f"{results}/mlflow.db: no permission to write\n  its owner types: chmod -R g+w {results}" in refused.stdout


def test_an_older_store_is_opened_to_the_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    factory.write(tmp_path / "results", factory.metrics())
    sync.sync(tmp_path / "results")
    (tmp_path / "results/mlflow.db").chmod(0o644)
    monkeypatch.setattr(sqlite, "READABLE", 0o664)
    sync.sync(tmp_path / "results")
    assert (tmp_path / "results/mlflow.db").stat().st_mode & 0o777 == 0o664


def test_nothing_of_this_hides_a_file_that_is_no_database(tmp_path: Path) -> None:
    factory.write(tmp_path / "results", factory.metrics())
    (tmp_path / "results/mlflow.db").write_bytes(b"not a database" * 100)
    with pytest.raises(UserError, match="file is not a database"):
        sync.sync(tmp_path / "results")
