"""A row in MLflow: the parent of its seeds, with their mean and spread, whatever becomes of them."""

from __future__ import annotations

import shutil
import statistics
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.store import atomic
from harness.store.layout import RunFolder
from harness.store.records import Manifest, Seconds
from harness.tracking import rows, sync, view
from tests import factory
from tests.harness.tracking.test_sync import client, stored, unfinished

if TYPE_CHECKING:
    from mlflow.entities import Run

FINALS = (90.0, 84.0, 93.5)
SECONDS = (13.0, 15.5, 11.25)
PARENT = "mlflow.parentRunId"


def write(results: Path, seed: int, hour: int, **changes: object) -> Path:
    """A seed that finished at this hour. Returns its run's folder."""
    spent = Seconds(startup=3.0, synthesis=SECONDS[seed] - 5.0, distillation=2.0, evaluation=0.5)
    values = {"final": FINALS[seed], "seconds": spent, "finished": f"2026-01-01T{hour:02}:00:00+00:00"} | changes
    result = factory.metrics(seed=seed, **values)
    return factory.write(results, result) / "runs" / result.key


def row_in(results: Path) -> Run:
    api = client(results)
    (found,) = api.search_runs([api.get_experiment_by_name("toy").experiment_id], "tags.kind = 'row'")
    return found


def parents(results: Path) -> dict[str, str | None]:
    return {run.data.tags["seed"]: run.data.tags.get(PARENT) for run in stored(results).values()}


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.mark.parametrize(("old", "new"), [("0" * 16, "f" * 16), ("f" * 16, "0" * 16)])
def test_a_stale_result_counts_no_more_once_its_cell_runs_again(tmp_path: Path, old: str, new: str) -> None:
    write(tmp_path, 0, hour=1, key=old)
    run = write(tmp_path, 0, hour=2, key=new)
    manifest = Manifest.model_validate_json((run / "manifest.json").read_bytes())
    again = manifest.attempts[0].model_copy(update={"start": "2026-01-01T01:30:00+00:00"})
    atomic.write(run / "manifest.json", manifest.model_copy(update={"attempts": [again]}))
    (run / "metrics.json").unlink()
    runs = [RunFolder(run.parent / key) for key in sorted([old, new])]
    row = rows.of_row([view.of_run(one, superseded=False, working=one.key == new) for one in runs])
    assert (row.status, row.points) == ("RUNNING", [])


def test_mean_and_spread_are_those_of_the_seeds_that_are_done(tmp_path: Path) -> None:
    folders = [write(tmp_path, seed, hour=3 - seed) for seed in range(3)]
    views = [view.of_run(RunFolder(run), superseded=False, working=False) for run in folders]
    row = rows.of_row(views)
    latest = {point.name: point.value for point in sorted(row.points, key=lambda point: point.time)}
    assert latest["seeds"] == 3
    assert latest["mean/top1"] == round(statistics.mean(FINALS), 2)
    assert latest["sd/top1"] == round(statistics.stdev(FINALS), 2)
    assert latest["mean/cost_seconds"] == round(statistics.mean(SECONDS), 2)
    assert latest["sd/cost_seconds"] == round(statistics.stdev(SECONDS), 2)
    assert (row.end or 0) - row.start == round(1000 * statistics.mean(SECONDS))
    first = {point.name: point.value for point in row.points if point.time == min(p.time for p in row.points)}
    assert (first["seeds"], first["mean/top1"]) == (1, FINALS[2]), "the third seed finished first"
    assert "sd/top1" not in first
    assert "| 1 | 84.00 | 15.50 | done |" in row.tags["mlflow.note.content"]
    assert "**89.17 ± 4.80 % top1**" in row.tags["mlflow.note.content"]
    assert "seed" not in row.params


def test_a_row_follows_its_seeds(tmp_path: Path) -> None:
    """One comes, one is run again, one is another key's: the row is always that of the results that count."""
    results = tmp_path / "results"
    write(results, seed=0, hour=1)
    sync.sync(results)
    begun = row_in(results)
    assert (begun.data.metrics["mean/top1"], begun.info.status) == (FINALS[0], "FINISHED")
    assert "sd/top1" not in begun.data.metrics

    again = write(results, seed=1, hour=2)
    sync.sync(results)
    grown = row_in(results)
    assert grown.info.run_id == begun.info.run_id
    assert grown.data.metrics["mean/top1"] == (FINALS[0] + FINALS[1]) / 2
    assert parents(results) == {"0": grown.info.run_id, "1": grown.info.run_id}

    shutil.rmtree(again.parents[1])
    write(results, seed=1, hour=3, final=60.0)
    write(results, seed=2, hour=4)
    sync.sync(results)
    anew = row_in(results)
    assert anew.info.run_id != begun.info.run_id, "MLflow can only add to what was there"
    assert anew.data.metrics["mean/top1"] == round((FINALS[0] + 60.0 + FINALS[2]) / 3, 2)
    assert parents(results) == dict.fromkeys("012", anew.info.run_id)

    newer = factory.metrics(seed=2, key="f" * 16, final=50.0, finished="2026-01-01T05:00:00+00:00")
    (results / newer.cell / "metrics.json").unlink()
    shutil.move(results / newer.cell, tmp_path / "aside")
    factory.write(results, newer)
    shutil.copytree(tmp_path / "aside", results / newer.cell, dirs_exist_ok=True)
    sync.sync(results)
    last = row_in(results)
    assert last.data.metrics["mean/top1"] == round((FINALS[0] + 60.0 + 50.0) / 3, 2)
    old = stored(results)[factory.metrics(seed=2).key].data.tags
    assert (old["superseded"], PARENT in old) == ("yes", False)
    assert stored(results)["f" * 16].data.tags[PARENT] == last.info.run_id


def test_a_row_of_nothing_finished(tmp_path: Path) -> None:
    unfinished(tmp_path, seed=0)
    sync.sync(tmp_path)
    row = row_in(tmp_path)
    assert (row.info.status, row.data.metrics) == ("KILLED", {})
    assert "0 of 1 seed done" in row.data.tags["mlflow.note.content"]


def test_system_metrics_where_they_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, seed=0, hour=1)
    sync.sync(tmp_path)
    (key,) = stored(tmp_path)
    assert not [name for name in stored(tmp_path)[key].data.metrics if name.startswith("system/")]
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
    assert sync.sync(tmp_path).updated == 1
    found = stored(tmp_path)[key].data.metrics
    assert found["system/process_cpu_percentage"] == 100.0, "as many seconds on cores as on the wall"
    assert found["system/process_peak_memory_megabytes"] == round(400 * 2**20 / 1e6, 2)


def test_no_tag_is_longer_than_mlflow_keeps(tmp_path: Path) -> None:
    one = view.of_run(RunFolder(write(tmp_path, 0, hour=1)), superseded=False, working=False)
    cell, result = one.tags["cell"].removesuffix("0"), factory.metrics()
    views = [
        replace(one, tags=one.tags | {"cell": f"{cell}{seed}"}, result=result.model_copy(update={"seed": seed}))
        for seed in range(300)
    ]
    assert max(map(len, rows.of_row(views).tags.values())) <= 5000
