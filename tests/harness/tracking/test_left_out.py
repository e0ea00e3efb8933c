"""One run that cannot be shown is named and left out; all others are there, and the exit status says so."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.store import atomic, reading
from harness.store.records import Metrics
from harness.tracking import sync
from harness.tracking.experiment import Begun, Experiment
from harness.tracking.view import RunView
from tests import factory
from tests.harness.conftest import Command
from tests.harness.tracking.test_sync import client, stored

GOOD = factory.metrics("ssd-kd")


def curve(**parts: float) -> Callable[[Path], None]:
    """Events whose losses have these names."""

    def change(run: Path) -> None:
        (run / "events.jsonl").unlink()
        learned = factory.learning(reading.read(run / "metrics.json", Metrics))
        events = [event.model_copy(update={"synthesis": parts}) for event in learned]
        atomic.append_events(run / "events.jsonl", events)

    return change


def edit(file: str, **changes: object) -> Callable[[Path], None]:
    """A record with other values, as somebody's editor leaves it."""

    def change(run: Path) -> None:
        record = json.loads((run / file).read_text(encoding="utf-8"))
        (run / file).write_text(json.dumps({**record, **changes}), encoding="utf-8")

    return change


def replace(file: str, put: Callable[[Path], object]) -> Callable[[Path], None]:
    """Something else where a file should be."""

    def change(run: Path) -> None:
        (run / file).unlink()
        put(run / file)

    return change


TROUBLE = {
    "a loss name that MLflow refuses": curve(**{"loss (nats) ∑ \x00": 1.0}),
    "a loss name without end": curve(**{"x" * 5000: 1.0}),
    "an option without end": edit("manifest.json", config={"layers": ["x" * 9000]}),
    "no attempts": edit("manifest.json", attempts=[]),
    "an attempt without a time": edit("manifest.json", attempts=[{"start": "yesterday"}]),
    "a manifest that is a folder": replace("manifest.json", Path.mkdir),
    "a manifest that is a link to itself": replace("manifest.json", lambda path: path.symlink_to(path)),
    "a picture that is a folder": replace("samples.png", Path.mkdir),
    "a picture that is a link to nothing": replace("samples.png", lambda path: path.symlink_to("/nowhere/at/all")),
    "events that are a folder": replace("events.jsonl", Path.mkdir),
}


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with a store and a good run, for all cases: a new store takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        results = tmp_path_factory.mktemp("shared") / "results"
        factory.write(results, GOOD)
        sync.sync(results)
    return results


@pytest.mark.parametrize("what", TROUBLE)
def test_one_run_keeps_no_other_out(shared: Path, what: str, dkd: Command) -> None:
    number = list(TROUBLE).index(what) + 1
    bad, after = factory.metrics("dafl", seed=number), factory.metrics("zskt", seed=number)
    run = factory.write(shared, bad) / "runs" / bad.key
    TROUBLE[what](run)
    if not what.endswith(("folder", "itself", "nothing")):  # what is sealed can still be what MLflow does not take
        factory.seal(run, bad)
    factory.write(shared, after)
    code, output, errors = dkd("sync", "--results", shared)
    created = int(output.split()[1])
    if what == "an option without end":  # no reason to leave out numbers
        assert (code, created) == (0, 2), errors
    else:
        assert (code, created) == (3, 1), errors
        assert output.endswith("1 left out\n")
        assert str(run) in errors
        assert bad.key not in stored(shared)
    assert after.key in stored(shared)
    os.rename(shared / bad.cell, shared.parent / f"gone-{number}")


@pytest.mark.parametrize("label", ["x" * 80, "a.b_c+d-e"])
def test_labels(shared: Path, label: str) -> None:
    result = factory.metrics(label, seed=9)
    factory.write(shared, result)
    report = sync.sync(shared)
    assert (report.created, report.left_out) == (1, [])
    assert stored(shared)[result.key].data.params["label"] == label


def test_a_run_that_is_removed_meanwhile_is_not_brought_back(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = factory.metrics("fast", seed=9)
    cell = factory.write(shared, result)
    push = Experiment.push

    def push_and_remove(self: Experiment, view: RunView, parent: str | None) -> Begun:
        done = push(self, view, parent)
        shutil.rmtree(cell)
        return done

    monkeypatch.setattr(Experiment, "push", push_and_remove)
    assert sync.sync(shared).left_out == []
    assert not cell.exists()


def test_an_experiment_of_others_is_not_mixed_into(tmp_path: Path) -> None:
    results = tmp_path / "results"
    factory.write(results, factory.metrics(cell="else/digits/a--b/x/scale-10/seed-0"))
    sync.sync(results)
    api = client(results)
    theirs = api.create_experiment("toy", tags={"owner": "somebody"})
    api.create_run(theirs)
    factory.write(results, GOOD)
    for created in (1, 0):
        assert sync.sync(results).created == created
    assert len(api.search_runs([theirs])) == 1
    assert api.get_experiment(theirs).tags["owner"] == "somebody"
    assert "dkd.metrics" not in api.get_experiment(theirs).tags
    (ours,) = api.search_runs([api.get_experiment_by_name("dkd-bench/toy").experiment_id], "tags.kind = 'run'")
    assert ours.data.tags["cell_key"] == GOOD.key
