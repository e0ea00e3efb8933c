"""Where everything under results/ lies: the paths are written out here, and are those that results/README.md shows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import harness
from harness.store.layout import CELL_PATTERN, CellFolder, CellName, Results, RunFolder, remedy, scale_text
from methods.base.pair import Pair
from tests import factory

NAME = "mine/digits/wrn40_2--wrn16_1/ssd-kd/scale-2.5/seed-12"
ROOT = Path("there")
CELL = Results(ROOT).cell(NAME)
RUN = CELL.run("0123456789abcdef")
TEACHER = Results(ROOT).teacher("cifar10", "wrn40_2")
PLACES = {
    CELL.path: f"there/{NAME}",
    CELL.metrics: f"there/{NAME}/metrics.json",
    RUN.path: f"there/{NAME}/runs/0123456789abcdef",
    RUN.metrics: f"there/{NAME}/runs/0123456789abcdef/metrics.json",
    RUN.events: f"there/{NAME}/runs/0123456789abcdef/events.jsonl",
    RUN.manifest: f"there/{NAME}/runs/0123456789abcdef/manifest.json",
    RUN.student: f"there/{NAME}/runs/0123456789abcdef/student.safetensors",
    RUN.samples: f"there/{NAME}/runs/0123456789abcdef/samples.png",
    RUN.log: f"there/{NAME}/runs/0123456789abcdef/attempts.log",
    RUN.link: f"there/{NAME}/runs/0123456789abcdef/mlflow.json",
    RUN.checkpoint: f"there/{NAME}/runs/0123456789abcdef/checkpoint.pt",
    RUN.verified: f"there/{NAME}/runs/0123456789abcdef/verified.json",
    RUN.progress: f"there/{NAME}/runs/0123456789abcdef/progress.json",
    RUN.lock: f"there/{NAME}/runs/0123456789abcdef/lock",
    TEACHER.path: "there/teachers/cifar10/wrn40_2",
    TEACHER.record: "there/teachers/cifar10/wrn40_2/teacher.json",
    TEACHER.weights: "there/teachers/cifar10/wrn40_2/teacher.safetensors",
    TEACHER.training: "there/teachers/cifar10/wrn40_2/training.pt",
    TEACHER.ready: "there/teachers/cifar10/wrn40_2/ready",
    Results(ROOT).database: "there/mlflow.db",
    Results(ROOT).artifacts: "there/mlflow-artifacts",
    Results(ROOT).sync_lock: "there/.sync.lock",
    Results(ROOT).stage: "there/.import",
    Results(ROOT).import_lock: "there/.import.lock",
    Results(ROOT).validated("smoke"): "there/.stamps/smoke.validated",
    Results(ROOT).refused("teachers/cifar10/vgg11"): "there/.stamps/refused/teachers/cifar10/vgg11",
    Results(ROOT).planned("smoke"): "there/.stamps/smoke.plan.json",
    Results(ROOT).synced("smoke"): "there/.stamps/smoke.synced",
}


def test_places() -> None:
    assert {str(path): place for path, place in PLACES.items()} == {place: place for place in PLACES.values()}


def test_the_readme_shows_every_file_of_cells_and_teachers_and_no_other() -> None:
    tree = (harness.ROOT / "results/README.md").read_text(encoding="utf-8").split("```")[1]
    names = {Path(place).name for place in PLACES.values()}
    folders = (f"there/{NAME}/runs/0123456789abcdef/", "there/teachers/cifar10/wrn40_2/")
    assert not [place for place in PLACES.values() if place.startswith(folders) and Path(place).name not in tree]
    assert not set(re.findall(r"[\w-]+\.(?:jsonl?|pt|png|log|safetensors|db)\b", tree)) - names


def test_a_folder_knows_what_it_belongs_to() -> None:
    assert (RUN.key, RUN.cell, CELL.results, str(CELL.name)) == ("0123456789abcdef", CELL, Results(ROOT), NAME)
    assert (TEACHER.dataset, TEACHER.name) == ("cifar10", "wrn40_2")


def test_names_are_taken_apart() -> None:
    name = CellName.parse(NAME)
    assert name == CellName("mine", "digits", Pair.of("wrn40_2", "wrn16_1"), "ssd-kd", 2.5, 12)
    assert name.row == "mine/digits/wrn40_2--wrn16_1/ssd-kd/scale-2.5"
    assert name.share == 0.025


@pytest.mark.parametrize("scale", ["100", "10", "2.5", "0.05", "0.001", "33.33333", "33.333331", "33.333333333333336"])
@pytest.mark.parametrize("label", ["a", "ssd-kd", "a--b", "a+b", "v1.0"])
def test_names_are_printed_as_they_were(label: str, scale: str) -> None:
    text = f"s.1/digits/wrn10_1--cnn3_16/{label}/scale-{scale}/seed-3"
    assert str(CellName.parse(text)) == text
    assert re.fullmatch(CELL_PATTERN, text)
    assert CellFolder(Path("a/b") / text).name == CellName.parse(text)


NO_CELLS = [
    "mine/digits/wrn40_2--wrn16_1/ssd-kd/scale-10",
    "mine/digits/wrn40_2/ssd-kd/scale-10/seed-0",
    "mine/digits/--wrn16_1/ssd-kd/scale-10/seed-0",
    "mine/digits/wrn40_2--/ssd-kd/scale-10/seed-0",
    "mine/digits/wrn40_2--wrn16_1/ssd-kd/scale-ten/seed-0",
    "mine/digits/wrn40_2--wrn16_1/ssd-kd/scale-/seed-0",
    "mine/digits/wrn40_2--wrn16_1/ssd-kd/scale-10/seed-a",
    "mine/digits/wrn40_2--wrn16_1/ssd-kd/scale-10/seed-0-old",
    "more/mine/digits/wrn40_2--wrn16_1/ssd-kd/scale-10/seed-0",
]


@pytest.mark.parametrize("text", NO_CELLS)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not the"):
        CellName.parse(text)


WRITTEN_OTHERWISE = [
    *("scale-10.0/seed-0", "scale-010/seed-0", "scale-1e1/seed-0", "scale-33.3333333333333333333/seed-0"),
    *("scale-0.00001/seed-0", "scale-1e-05/seed-0", "scale-\u0661\u0660/seed-0", "scale-10/seed-\u0660"),
    *("scale-10/seed-01", "scale-10/seed--1", "scale-10/seed-+1", "scale-9" + 400 * "9" + "/seed-0"),
    *("scale-10/seed-1_0", "scale-nan/seed-0", "scale-inf/seed-0", "scale--10/seed-0"),
]


@pytest.mark.parametrize("end", WRITTEN_OTHERWISE)
def test_a_name_that_is_written_otherwise_is_refused(end: str) -> None:
    with pytest.raises(ValueError, match="name of a cell"):
        CellName.parse(f"mine/digits/wrn40_2--wrn16_1/ssd-kd/{end}")


@given(st.floats(0.001, 100), st.floats(0.001, 100))
def test_two_scales_never_share_a_folder(one: float, other: float) -> None:
    assert float(scale_text(one)) == one
    assert "e" not in scale_text(one)
    assert (scale_text(one) == scale_text(other)) == (one == other)


def test_scales_are_written_as_people_write_them() -> None:
    scales = {100.0: "100", 10: "10", 2.5: "2.5", 0.001: "0.001", 33.33333: "33.33333", 33.333331: "33.333331"}
    assert {scale: scale_text(scale) for scale in scales} == scales


def test_folders_that_look_like_cells_are_named(tmp_path: Path) -> None:
    strays = sorted(f"mine/digits/wrn40_2--wrn16_1/ssd-kd/{end}" for end in WRITTEN_OTHERWISE if len(end) < 200)
    for name in [NAME, *strays]:
        (tmp_path / name).mkdir(parents=True)
    assert [str(cell.name) for cell in Results(tmp_path).cells()] == [NAME]
    assert sorted(folder.place for folder in Results(tmp_path).strays()) == strays


def test_folders_that_are_no_cells_are_left_out(tmp_path: Path) -> None:
    cells = [f"mine/digits/wrn10_1--cnn3_16/a/scale-10/seed-{seed}" for seed in (10, 2)] + [NAME]
    for name in [*cells, *NO_CELLS]:
        (tmp_path / name).mkdir(parents=True, exist_ok=True)
    (tmp_path / "mine/digits/wrn10_1--cnn3_16/a/scale-10/seed-7").touch()
    found = list(Results(tmp_path).cells())
    assert [cell.path.relative_to(tmp_path).as_posix() for cell in found] == cells
    assert [str(cell.name) for cell in found] == cells
    assert list(Results(tmp_path).finished()) == []
    (tmp_path / NAME / "metrics.json").touch()
    assert [str(cell.name) for cell in Results(tmp_path).finished()] == [NAME]
    assert list(Results(tmp_path / "nowhere").cells()) == []


def test_runs_are_found_in_the_order_of_their_keys(tmp_path: Path) -> None:
    for key in ("b" * 16, "a" * 16):
        (tmp_path / NAME / "runs" / key).mkdir(parents=True)
    (tmp_path / NAME / "runs" / "notes.txt").touch()
    cell = Results(tmp_path).cell(NAME)
    assert [run.key for run in cell.runs()] == ["a" * 16, "b" * 16]
    assert list(Results(tmp_path).runs()) == cell.runs()
    assert Results(tmp_path).cell(NAME.replace("seed-12", "seed-13")).runs() == []


def test_teachers_are_found(tmp_path: Path) -> None:
    for place in ("digits/wrn10_1", "cifar10/vgg11"):
        (tmp_path / "teachers" / place).mkdir(parents=True)
    (tmp_path / "teachers/digits/notes.txt").touch()
    found = [(teacher.dataset, teacher.name) for teacher in Results(tmp_path).teachers()]
    assert found == [("cifar10", "vgg11"), ("digits", "wrn10_1")]


def test_what_a_finished_run_leaves_over(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics())
    (path,) = factory.runs(cell)
    run = RunFolder(path)
    assert list(run.leftovers()) == []
    size = sum(file.stat().st_size for file in path.iterdir())
    for name in ("checkpoint.pt", "progress.json", ".metrics.json.123.tmp", "lock", "attempts.log"):
        (path / name).write_bytes(b"12345")
    assert {file.name for file in run.leftovers()} == {"checkpoint.pt", "progress.json", ".metrics.json.123.tmp"}
    assert [file.name for file in run.torn()] == [".metrics.json.123.tmp"]
    assert run.size() == size + 5 * 5
    kept = ["attempts.log", "events.jsonl", "manifest.json", "metrics.json", "samples.png", "student.safetensors"]
    assert sorted(file.name for file in run.kept) == kept
    assert run.kept[-1].name == "metrics.json"  # it says that all others are there


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (TEACHER.record, "dkd train-teacher cifar10 wrn40_2 --replace --results there"),
        (RUN.events, f"remove there/{NAME}/runs/0123456789abcdef and run the cell again"),
        (CELL.metrics, f"remove there/{NAME}/metrics.json; the next run copies it back from runs/"),
        (Path("reports/mine/records.jsonl"), "`dkd report` writes it anew"),
    ],
)
def test_what_to_do_about_a_damaged_record(record: Path, expected: str) -> None:
    assert remedy(record) == expected
