from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from harness.errors import UserError
from harness.store import atomic, reading, records
from harness.tracking import address, store, sync
from harness.tracking.sync import SyncReport
from tests import factory, processes

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

BEGUN = round(datetime.fromisoformat("2026-01-01T00:00:00+00:00").timestamp() * 1000)
"""Start of the factory's attempts, milliseconds."""


def unfinished(results: Path, seed: int) -> Path:
    """A run without metrics: its process works, or was killed."""
    result = factory.metrics("cmi", seed=seed)
    run = factory.write(results, result) / "runs" / result.key
    (run / "metrics.json").unlink()
    (run.parent.parent / "metrics.json").unlink()
    manifest = factory.manifest(result)
    attempt = manifest.attempts[0].model_copy(update={"end": None, "outcome": None})
    atomic.write(run / "manifest.json", manifest.model_copy(update={"attempts": [attempt]}))
    return run


def dump(results: Path) -> tuple[dict[str, list[str]], dict[Path, bytes]]:
    """Everything in the store, row by row, and every artifact."""
    connection = sqlite3.connect(results / "mlflow.db")
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    rows = {name: sorted(map(repr, connection.execute(f'SELECT * FROM "{name}"'))) for name in tables}
    connection.close()
    files = {path: path.read_bytes() for path in (results / "mlflow-artifacts").rglob("*") if path.is_file()}
    return rows, files


def content(results: Path) -> list[list[tuple[Any, ...]]]:
    """What the store says of every run and row, without the ids and times that MLflow chooses."""
    connection = sqlite3.connect(results / "mlflow.db")
    found = [
        connection.execute(
            f"SELECT name, {columns} FROM runs JOIN {table} USING (run_uuid) ORDER BY 1, 2, 3"
        ).fetchall()
        for table, columns in (("params", "key, value"), ("metrics", "key, timestamp, step, value"))
    ]
    found.append(connection.execute("SELECT name, status, start_time, end_time FROM runs ORDER BY name").fetchall())
    connection.close()
    return found


def client(results: Path) -> MlflowClient:
    store.set_environment()
    from mlflow import MlflowClient

    return MlflowClient(address.address(results))


def stored(results: Path) -> dict[str, Run]:
    """Active runs by cell key."""
    api = client(results)
    experiment = api.get_experiment_by_name("toy")
    return {run.data.tags["cell_key"]: run for run in api.search_runs([experiment.experiment_id], "tags.kind = 'run'")}


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SyncReport]:
    """A results folder with runs of every kind, synced once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        results = tmp_path_factory.mktemp("synced") / "results"
        factory.write(results, factory.metrics("ssd-kd", seed=1))
        factory.write(results, factory.metrics("dafl", status="diverged", reason="nan", final=None, best=None))
        old = factory.metrics("fast", key="0" * 16, final=50.0)
        factory.write(results, old)
        (results / old.cell / "metrics.json").unlink()
        factory.write(results, factory.metrics("fast"))
        broken = factory.metrics("zskt")
        events = factory.write(results, broken) / "runs" / broken.key / "events.jsonl"
        events.write_bytes(b"{}\n" + events.read_bytes())
        unfinished(results, seed=0)
        with FileLock(unfinished(results, seed=1) / "lock"):
            report = sync.sync(results)
    return results, report


def test_a_done_run_carries_its_records(synced: tuple[Path, SyncReport]) -> None:
    results, _ = synced
    result = factory.metrics("ssd-kd", seed=1)
    run = stored(results)[result.key]
    assert run.info.run_name == "SSD-KD, 10 %, seed 1 (WRN-10-1 → CNN-3-16, Digits)"
    assert (run.info.status, run.info.start_time, run.info.end_time) == ("FINISHED", BEGUN, BEGUN + 13_000), "3 + 8 + 2"
    cell = {"study": "toy", "dataset": "digits", "pair": "wrn10_1--cnn3_16", "label": "ssd-kd", "method": "ssd-kd"}
    cell |= {"scale": "10", "seed": "1"}
    assert run.data.params == {"batch": "64", "epochs": "3", "steps": "200", **cell}
    expected = cell | {
        "cell": result.cell,
        "plan_key": result.plan_key,
        "prior": "none",
        "teacher_sha256": "7e" * 32,
        "commit": "c0ffee" + "0" * 34,
        "dirty": "False",
        "device": "cpu",
        "status": "done",
        "superseded": "no",
        "student_sha256": "51" * 32,
        "student_path": f"{result.cell}/runs/{result.key}/student.safetensors",
    }
    assert expected.items() <= run.data.tags.items()


def test_curves_have_the_times_of_the_events(synced: tuple[Path, SyncReport]) -> None:
    results, _ = synced
    run_id = stored(results)[factory.metrics("ssd-kd", seed=1).key].info.run_id

    def history(name: str) -> list[tuple[float, int, int]]:
        return [(m.value, m.timestamp, m.step) for m in client(results).get_metric_history(run_id, name)]

    times = [1_700_000_010_000, 1_700_000_020_000, 1_700_000_030_000, 1_700_000_040_000]
    epochs = range(4)
    assert history("test/top1") == list(zip([71.0, 81.0, 92.0, 91.0], times, epochs, strict=True))
    assert history("seconds/end_to_end") == list(zip([5.5, 8.0, 10.5, 13.0], times, epochs, strict=True))
    assert history("synthesis/loss") == list(zip([2.0, 1.0, 0.6667, 0.5], times, epochs, strict=True))
    assert history("distillation/kd") == list(zip([1.0, 0.5, 0.3333, 0.25], times, epochs, strict=True))
    assert history("final/top1") == [(91.0, BEGUN, 0)]
    assert history("final/seconds") == history("final/cost_seconds") == [(3.0 + 8.0 + 2.0, BEGUN, 0)]


def test_records_are_artifacts(synced: tuple[Path, SyncReport]) -> None:
    results, _ = synced
    result = factory.metrics("ssd-kd", seed=1)
    artifacts = results / "mlflow-artifacts/toy" / stored(results)[result.key].info.run_id / "artifacts"
    run = results / result.cell / "runs" / result.key
    for name in ("samples.png", "manifest.json"):
        assert (artifacts / name).read_bytes() == (run / name).read_bytes()
    assert json.loads((artifacts / "config.json").read_text(encoding="utf-8")) == factory.CONFIG


def test_a_run_says_what_it_came_to_and_what_it_was_tested_on(synced: tuple[Path, SyncReport]) -> None:
    results, _ = synced
    runs = stored(results)
    done, failed = runs[factory.metrics("ssd-kd", seed=1).key], runs[factory.metrics("dafl").key]
    note = done.data.tags["mlflow.note.content"]
    assert "SSD-KD on Digits, WRN-10-1 → CNN-3-16, 10 % of the data (130 images)" in note
    assert "**91.00 % top1**" in note
    assert "**13.00 CPU s** end to end: 3.00 start-up, 8.00 synthesis, 2.00 distillation" in note
    assert "Diverged: nan" in failed.data.tags["mlflow.note.content"]
    (data,) = done.inputs.dataset_inputs
    assert (data.dataset.name, [(tag.key, tag.value) for tag in data.tags]) == (
        "digits",
        [("mlflow.data.context", "test")],
    )
    assert data.dataset.digest == failed.inputs.dataset_inputs[0].dataset.digest


def test_status_follows_the_records(synced: tuple[Path, SyncReport]) -> None:
    results, _ = synced
    runs = {run.data.tags["cell"]: run for run in stored(results).values() if run.data.tags["superseded"] == "no"}
    statuses = {cell.split("/")[3] + cell[-1]: run.info.status for cell, run in runs.items()}
    assert statuses == {
        "ssd-kd1": "FINISHED",
        "dafl0": "FAILED",
        "fast0": "FINISHED",
        "cmi0": "KILLED",
        "cmi1": "RUNNING",
    }
    failed = runs[factory.metrics("dafl").cell].data.tags
    assert (failed["status"], failed["reason"]) == ("diverged", "nan")
    killed = runs[factory.metrics("cmi").cell].info
    assert killed.end_time == BEGUN + 13_000, "the seconds of its last event"
    assert runs[factory.metrics("cmi", seed=1).cell].info.end_time is None


def test_a_run_with_another_current_key_is_superseded(synced: tuple[Path, SyncReport]) -> None:
    results, _ = synced
    tags = {key: run.data.tags["superseded"] for key, run in stored(results).items()}
    assert tags["0" * 16] == "yes"
    assert tags[factory.metrics("fast").key] == "no"


def test_damaged_records_are_skipped_and_named(synced: tuple[Path, SyncReport]) -> None:
    results, report = synced
    broken = factory.metrics("zskt")
    assert broken.key not in stored(results)
    assert len(report.left_out) == 1
    assert f"runs/{broken.key}/events.jsonl: damaged record: was changed" in report.left_out[0]
    assert str(report) == "MLflow: 6 runs created, 0 updated, 0 unchanged, 1 left out"


def test_syncing_twice_changes_nothing(synced: tuple[Path, SyncReport]) -> None:
    results, _ = synced
    with FileLock(results / factory.metrics("cmi", seed=1).cell / "runs" / factory.metrics("cmi", seed=1).key / "lock"):
        before = dump(results)
        report = sync.sync(results)
        assert (report.created, report.updated, report.unchanged) == (0, 0, 6)
        assert dump(results) == before
        for link in results.rglob("mlflow.json"):
            link.unlink()
        report = sync.sync(results)
        assert (report.created, report.updated, report.unchanged) == (0, 6, 0)
        assert dump(results) == before


def test_a_deleted_store_is_made_again(tmp_path: Path) -> None:
    results = tmp_path / "results"
    factory.write(results, factory.metrics("ssd-kd"))
    factory.write(results, factory.metrics("dafl"))
    sync.sync(results)
    before = content(results)
    (results / "mlflow.db").unlink()
    shutil.rmtree(results / "mlflow-artifacts")
    # another process: MLflow keeps a file open that is no longer there
    done = processes.run("harness", "sync", "--results", results, check=True)
    assert done.stdout == "MLflow: 2 runs created, 0 updated, 0 unchanged\n"
    assert content(results) == before
    assert len(before[0]) == 2 * 10 + 2 * 9, "a row has no seed"


def test_a_run_lives_on_until_it_is_retried(tmp_path: Path) -> None:
    results = tmp_path / "results"
    result = factory.metrics("cmi")
    run = unfinished(results, seed=0)
    manifest = reading.read(run / "manifest.json", records.Manifest)
    sync.sync(results)
    killed = stored(results)[result.key].info
    assert killed.status == "KILLED"

    atomic.append_events(run / "events.jsonl", factory.events(5))
    with FileLock(run / "lock"):
        assert sync.sync(results).updated == 1
    resumed = stored(results)[result.key]
    assert (resumed.info.run_id, resumed.info.status) == (killed.run_id, "RUNNING")
    assert len(client(results).get_metric_history(killed.run_id, "test/top1")) == 5

    (run / "events.jsonl").unlink()
    atomic.append_events(run / "events.jsonl", factory.learning(result))
    factory.seal(run, result)
    sync.sync(results)
    assert stored(results)[result.key].info.status == "FINISHED"

    (run / "metrics.json").unlink()
    again = manifest.attempts[0].model_copy(update={"start": "2026-02-02T00:00:00+00:00"})
    atomic.write(run / "manifest.json", manifest.model_copy(update={"attempts": [again]}))
    (run / "events.jsonl").unlink()
    later = [event.model_copy(update={"time": event.time + 99}) for event in factory.events(2)]
    atomic.append_events(run / "events.jsonl", later)
    assert sync.sync(results).created == 1
    retried = stored(results)[result.key]
    assert retried.info.run_id != killed.run_id
    points = client(results).get_metric_history(retried.info.run_id, "test/top1")
    assert [m.timestamp for m in points] == [1_700_000_109_000, 1_700_000_119_000]


def unchanged_records(results: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in results.rglob("*") if path.is_file() and path.name != ".sync.lock"}


def test_a_store_that_cannot_be_used_is_a_short_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results = tmp_path / "results"
    factory.write(results, factory.metrics())
    before = unchanged_records(results)
    monkeypatch.chdir(tmp_path)
    garbage = tmp_path / "garbage.db"
    garbage.write_bytes(b"not a database at all" * 100)
    readonly = tmp_path / "readonly.db"
    sqlite3.connect(readonly).execute("CREATE TABLE t (x)").connection.close()
    stores = {
        "http://127.0.0.1:9": "127.0.0.1",
        f"sqlite:///{garbage}": "file is not a database",
        f"sqlite:///file:{readonly}?mode=ro&uri=true": "attempt to write a readonly database",
        f"sqlite:///{tmp_path}/no/folder/x.db": "unable to open database file",
        "bogus://store": "bogus://store",
    }
    for uri, reason in stores.items():
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with pytest.raises(UserError, match="records are untouched") as error:
            sync.sync(results)
        assert reason in str(error.value)
        assert len(str(error.value).splitlines()) == 2
    assert unchanged_records(results) == before
    assert not Path("file:").exists(), "MLflow saw the read-only store and made a folder of its address"
