import json
import shutil
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.reporting.runs import DamagedRun, RecordedRun, evaluations, load
from tests import factory

LINK = {"run_id": "feed", "tracking_uri": "here", "store": "one", "fingerprint": "f"}


def test_a_run_with_its_records(tmp_path: Path) -> None:
    result = factory.metrics("ssd-kd", 10.0, 1)
    cell = factory.write(tmp_path, result)
    (cell / "runs" / result.key / "mlflow.json").write_text(json.dumps(LINK), encoding="utf-8")
    (run,) = load(tmp_path)
    assert isinstance(run, RecordedRun)
    assert str(run.name) == result.cell
    assert (run.metrics.final, run.metrics.cell, run.metrics.seconds) == (result.final, result.cell, result.seconds)
    assert run.folder.path == cell / "runs" / result.key
    assert (run.config, run.mlflow_run, run.expected) == (factory.CONFIG, "feed", 1)
    assert [event.metric for event in evaluations(run.folder)] == [71.0, 81.0, 92.0, 91.0]


def test_a_run_without_its_manifest_does_not_count(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics())
    next(cell.glob("runs/*/manifest.json")).unlink()
    (run,) = load(tmp_path)
    assert (run.status, run.reason) == ("damaged", "manifest.json is missing")


def test_a_damaged_run_keeps_its_place(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics("ssd-kd", 10.0, 1))
    (cell / "metrics.json").write_text("{", encoding="utf-8")
    (run,) = load(tmp_path)
    assert isinstance(run, DamagedRun)
    assert (str(run.name), run.status, run.folder.path) == (
        *("toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-10/seed-1", "damaged", cell),
    )
    assert run.reason


def test_a_copied_folder_counts_once(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics())
    shutil.copytree(cell, cell.with_name("seed-1"))
    shutil.copytree(cell, cell.parent / "../scale-10.0/seed-0")
    with pytest.warns(UserWarning, match="1 folders look like a cell's and are none"):
        assert sorted(run.status for run in load(tmp_path)) == ["damaged", "done"]


def test_expected_are_the_different_seeds_of_a_study(tmp_path: Path) -> None:
    for study, seeds in {"one": (0, 1, 7), "two": (3,)}.items():
        for seed in seeds:
            for label in ("a", "b"):
                cell = f"{study}/digits/wrn10_1--cnn3_16/{label}/scale-10/seed-{seed}"
                factory.write(tmp_path, factory.metrics(label, seed=seed, study=study, cell=cell))
    assert {run.name.study: run.expected for run in load(tmp_path)} == {"one": 3, "two": 1}


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such results folder"):
        load(tmp_path / "nothing")
