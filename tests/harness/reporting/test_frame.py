import json
from pathlib import Path

import pytest

from harness.errors import ConfigError, UserError
from harness.reporting import frame
from harness.reporting.report import render
from tests import factory

LINK = {"run_id": "feed", "tracking_uri": "here", "store": "one", "fingerprint": "f"}


def test_one_row_per_run_with_provenance(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics("ssd-kd", 10.0, 0))
    run = next((cell / "runs").iterdir())
    (run / "mlflow.json").write_text(json.dumps(LINK), encoding="utf-8")
    row = frame.load(tmp_path).iloc[0]
    assert (row["label"], row["scale"], row["seed"], row["final"]) == ("ssd-kd", 10.0, 0, 90.0)
    assert row["cost"] == 3.0 + 8.0 + 2.0
    assert row["cpu_seconds.synthesis"] == 8.0
    assert row["flops.synthesis"] == 3 * 10**9
    assert row["commit"].startswith("c0ffee")
    assert not row["dirty"]
    assert (row["attempts"], row["mlflow_run_id"], row["path"]) == (1, "feed", str(run))


def test_names_as_printed_and_hyperparameters_by_their_own(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics("ssd-kd"), config={"batch": 64, "buffer": {"slots": 10}, "steps": None})
    factory.write(tmp_path, factory.metrics("my-label", method="fast"), config={"batch": 32})
    (factory.write(tmp_path, factory.metrics("nayer")) / "metrics.json").write_text("{", encoding="utf-8")
    found = frame.load(tmp_path)
    assert list(found["method_name"]) == ["my-label", "NAYER", "SSD-KD"]
    assert set(found["dataset_name"]) == {"Digits"}
    assert set(found["pair_name"]) == {"WRN-10-1 → CNN-3-16"}
    assert [name for name in found if name.startswith("config")] == [
        *("config.batch", "config.buffer.slots", "config.steps")
    ]
    assert found["config.batch"].fillna(0).tolist() == [32, 0, 64]
    assert found["config.buffer.slots"].fillna(0).tolist() == [0, 0, 10]


@pytest.mark.parametrize("damage", ["", '{"schema_version": 1', "[]", "\xff"])
def test_a_damaged_record_is_a_row(tmp_path: Path, damage: str) -> None:
    cell = factory.write(tmp_path, factory.metrics("ssd-kd", 10.0, 1))
    (cell / "metrics.json").write_bytes(damage.encode("latin-1"))
    row = frame.load(tmp_path).iloc[0]
    assert (row["status"], row["label"], row["scale"], row["seed"]) == ("damaged", "ssd-kd", 10.0, 1)
    assert row["reason"]


def test_a_folder_in_place_of_a_record_is_a_damaged_row(tmp_path: Path) -> None:
    (tmp_path / "s/d/t--u/l/scale-10/seed-0/metrics.json").mkdir(parents=True)
    assert list(frame.load(tmp_path)["status"]) == ["damaged"]


def test_a_damaged_manifest_makes_the_run_unusable(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics())
    next((cell / "runs").iterdir()).joinpath("manifest.json").write_text("{", encoding="utf-8")
    assert list(frame.load(tmp_path)["status"]) == ["damaged"]


def test_expected_seeds_are_those_of_the_study_whatever_the_filter(results: Path) -> None:
    assert set(frame.load(results, {"seed": ["0"]})["expected"]) == {3}


def test_only_keeps_rows_that_agree_in_every_column(results: Path) -> None:
    rows = frame.load(results, {"label": ["fast-2", "ssd-kd"], "scale": ["10"]})
    assert set(rows["label"]) == {"fast-2", "ssd-kd"}
    assert set(rows["scale"]) == {10.0}
    assert len(rows) == 6


def test_values_may_be_given_as_they_are_and_one_alone(results: Path) -> None:
    natural = frame.load(results, {"label": "ssd-kd", "scale": 10, "seed": [0, 1], "overloaded": False})
    typed = frame.load(results, {"label": ["ssd-kd"], "scale": ["10"], "seed": ["0", "1"], "overloaded": ["False"]})
    assert len(natural) and natural["cell"].tolist() == typed["cell"].tolist()


@pytest.mark.parametrize(
    "asked", ["..", "toy", "toy/digits", "toy/digits/wrn10_1--cnn3_16", "toy/digits/wrn10_1--cnn3_16/ssd-kd"]
)
def test_a_folder_near_the_results_names_them(results: Path, asked: str) -> None:
    place = (results / asked).resolve()
    with pytest.warns(UserWarning, match=rf"no runs; the results folder is {results}$"):
        assert frame.load(place).empty
    with pytest.raises(UserError, match=rf"no results to report; the results folder is {results}$"):
        render(place, results.parent / "out")


def test_results_beside_a_folder_are_somebody_elses(results: Path) -> None:
    (results / "mine").mkdir()
    with pytest.warns(UserWarning, match="no runs$"):
        assert frame.load(results / "mine").empty


def test_a_folder_without_results_is_an_empty_frame(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="no runs$"):
        assert frame.load(tmp_path).empty


def test_unknown_columns_and_values_list_the_choices(results: Path) -> None:
    with pytest.raises(ConfigError, match="label"):
        frame.load(results, {"lable": ["x"]})
    with pytest.raises(ConfigError, match="did you mean: fast-2"):
        frame.load(results, {"label": ["fast2"]})


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such results folder"):
        frame.load(tmp_path / "nothing")


def test_curves_hold_every_evaluation(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics("ssd-kd", 10.0, 0), factory.events(3, final=90.0))
    curve = frame.curves(frame.load(tmp_path))
    assert list(curve["metric"]) == [70.0, 80.0, 90.0]
    assert list(curve["cost"]) == [6.0, 9.0, 12.0]
    assert list(curve["distillation.kd"]) == [1.0, 1 / 2, 1 / 3]
    assert set(curve["label"]) == {"ssd-kd"}
    assert set(curve["method_name"]) == {"SSD-KD"}


def test_damaged_events_are_left_out(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics())
    next((cell / "runs").iterdir()).joinpath("events.jsonl").write_text("{}\n", encoding="utf-8")
    assert frame.curves(frame.load(tmp_path)).empty
