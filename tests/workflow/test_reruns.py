"""What Snakemake does again after a change, a failure and a kill; what it must never destroy."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.workflow.conftest import CELLS, EVERYTHING, Bench

FIRST = {"first/scale-100/seed-0", "first/scale-10/seed-0"}
SECOND = CELLS - FIRST
HUNG = "second/scale-10/seed-0"
AFTER = {"sync", "report"}


def test_only_what_changed_runs_again(bench: Bench) -> None:
    done = bench.work()
    assert set(done) == EVERYTHING
    assert len(done) == len(EVERYTHING), "something ran twice"
    assert done[0] == "validate"
    assert done[1] == "train-teacher"
    before = bench.metrics()

    assert bench.work() == []

    bench.write_method("first", '"""Now with a docstring."""\nGAMMA = 1  # and another comment\n')
    assert bench.work() == []

    bench.write_method("first", "GAMMA = 2\n")
    assert set(bench.work()) == {"validate"} | FIRST | AFTER

    bench.write_method("first", "GAMMA = 1\n")
    assert set(bench.work()) == {"validate"} | AFTER, "a reverted change must find its results again"
    after = bench.metrics()
    assert {cell for cell in CELLS if before[cell] != after[cell]} == FIRST
    assert bench.work() == []

    _replace_teacher(bench.results)
    assert set(bench.work()) == CELLS | AFTER, "another teacher makes other results, and is not trained again"


@pytest.mark.parametrize("change", ["recipe: {epochs: 3}", "share: 8", "device: cpu"])
def test_a_change_that_moves_no_key_is_validated_too(bench: Bench, change: str) -> None:
    def with_something_to_do() -> list[str]:
        next(bench.results.glob("toy/*/*/*/*/*/metrics.json")).unlink()
        return bench.work()

    bench.work()
    assert "validate" not in with_something_to_do()
    with bench.study.open("a", encoding="utf-8") as file:
        file.write(f"{change}\n")
    assert "validate" in with_something_to_do()
    assert "validate" not in with_something_to_do()


def test_a_failing_cell_stops_no_other_and_destroys_nothing(bench: Bench) -> None:
    (bench.folder / "fail").write_text("/first/", encoding="utf-8")
    done = bench.work(code=1)
    assert set(bench.metrics()) == SECOND
    assert done.count("first/scale-10/seed-0") == 3, "two retries"
    assert done[-1] == "report", "the partial report"

    (bench.folder / "fail").unlink()
    assert set(bench.work()) == FIRST | AFTER

    bench.write_method("first", "GAMMA = 2\n")
    (bench.folder / "fail").write_text("/first/", encoding="utf-8")
    bench.work(code=1)
    assert len(list(bench.results.glob("toy/*/*/first/*/*/runs/*/metrics.json"))) == len(FIRST), "finished, and lost"
    bench.write_method("first", "GAMMA = 1\n")
    assert set(bench.work()) <= {"validate"} | AFTER, "what was finished needs no work"
    assert set(bench.metrics()) == CELLS


@pytest.mark.parametrize(
    ("name", "call", "others"),
    [("teachers/digits/wrn10_1", "train-teacher", set()), (f"/{HUNG}", HUNG, CELLS - {HUNG})],
)
def test_what_only_the_user_can_put_right_is_not_tried_again(
    bench: Bench, name: str, call: str, others: set[str]
) -> None:
    (bench.folder / "refuse").write_text(name, encoding="utf-8")
    for again in (False, True):
        done = bench.work(code=1)
        assert done.count(call) == 1, "tried again" if not again else "not even tried by the next snakemake"
        assert set(bench.metrics()) == others

    (bench.folder / "refuse").unlink()
    (bench.folder / "stumble").write_text(name, encoding="utf-8")
    assert bench.work().count(call) == 3, "trouble of the machine passes"
    assert set(bench.metrics()) == CELLS
    assert bench.work() == []


def test_a_teacher_with_a_name_is_made_by_it_and_by_no_recipe_of_the_grids(bench: Bench) -> None:
    """Where it is missing, the command refuses with status 2: the cells of other teachers go on."""
    name = "wrn10_1+cmi"
    both = "wrn10_1, student: cnn3_16}, {teacher: {network: wrn10_1, name: cmi}, student: cnn3_16"
    text = bench.study.read_text(encoding="utf-8").replace("wrn10_1, student: cnn3_16", both)
    bench.study.write_text(f"{text}recipe: {{epochs: 3}}\n", encoding="utf-8")
    plan = bench.run("-n", "-p").stdout
    assert "train-teacher digits wrn10_1 --name cmi --results" in plan
    assert "train-teacher digits wrn10_1 --set epochs=3 --results" in plan

    (bench.folder / "refuse").write_text(f"teachers/digits/{name}", encoding="utf-8")
    done = bench.work("--config", "methods=first", code=1)
    assert done.count("train-teacher") == 2
    assert sorted(path.name for path in bench.results.glob("toy/digits/*")) == ["wrn10_1--cnn3_16"]


def test_a_public_teacher_is_fetched_by_its_name(bench: Bench) -> None:
    text = bench.study.read_text(encoding="utf-8").replace("dataset: digits", "dataset: cifar10\nverify: false")
    named = "{network: resnet20, name: akamaster}"
    bench.study.write_text(f"{text.replace('wrn10_1', named)}recipe: {{epochs: 3}}\n", encoding="utf-8")
    assert "teachers get akamaster-resnet20 --no-verify --results" in bench.run("-n", "-p").stdout


def test_a_killed_snakemake_goes_on_and_destroys_nothing(bench: Bench) -> None:
    (bench.folder / "hang").write_text(HUNG, encoding="utf-8")
    process = bench.start()
    _wait_for(lambda: (bench.folder / "hanging").exists() and set(bench.metrics()) == CELLS - {HUNG})
    process.kill()
    assert set(bench.metrics()) == CELLS - {HUNG}

    (bench.folder / "hang").unlink()
    locked = bench.run()
    assert locked.returncode != 0
    assert "--unlock" in locked.stdout
    bench.work("--unlock")
    assert set(bench.work()) == {HUNG} | AFTER
    assert set(bench.metrics()) == CELLS


def test_a_subset_runs_alone(bench: Bench) -> None:
    done = bench.work("--config", "methods=second", "scales=10")
    assert {call for call in done if "/" in call} == {"second/scale-10/seed-0"}
    assert bench.planned() == {"second/scale-10/seed-0"}
    (bench.folder / "fail").write_text("/first/", encoding="utf-8")
    done = bench.work(code=1)
    assert {call for call in done if "/" in call} == CELLS - {"second/scale-10/seed-0"}
    assert "validate" not in done
    assert bench.planned() == CELLS, "reports must know of the cells that are not done"
    (bench.folder / "fail").unlink()
    assert set(bench.work("--config", "methods=first")) == FIRST | AFTER
    assert bench.planned() == CELLS, "what was chosen before still waits"


def test_grids_of_one_study_plan_side_by_side(bench: Bench) -> None:
    bench.work()
    more = bench.folder / "more.yaml"
    more.write_text(bench.study.read_text(encoding="utf-8").replace("[100, 10]", "[1]"), encoding="utf-8")
    assert bench.run(study=more).returncode == 0
    both = CELLS | {"first/scale-1/seed-0", "second/scale-1/seed-0"}
    assert bench.planned() == both
    assert bench.work() == ["report"], "neither undoes what the other has done; a report is of both"

    bench.study.write_text(bench.study.read_text(encoding="utf-8").replace("[100, 10]", "[10]"), encoding="utf-8")
    bench.work()
    assert bench.planned() == {cell for cell in both if "scale-100/" not in cell}, (
        "what a grid has no more is forgotten"
    )


def _replace_teacher(results: Path) -> None:
    record = next(results.glob("teachers/*/*/teacher.json"))
    record.write_text(record.read_text(encoding="utf-8").replace("7e" * 32, "8f" * 32), encoding="utf-8")


def _wait_for(condition: object, seconds: float = 60) -> None:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
