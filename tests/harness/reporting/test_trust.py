"""What a study's numbers rest on: everything that can be wrong, one at a time."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.reporting import runs
from harness.reporting.rows import group
from harness.reporting.trust import SOUND, Trust, trust
from harness.store import atomic, checksums
from harness.store.layout import RunFolder
from harness.store.records import Manifest, Seconds, Verification
from tests import factory


def of(results: Path) -> Trust:
    return trust(group(runs.load(results)))


def lines(found: Trust, name: str) -> tuple[str, ...]:
    return next(fact.lines for fact in found.facts if fact.name == name)


def written(results: Path, attempt: Mapping[str, Any] = {}, **changes: Any) -> Trust:
    """Two good seeds, and a third one with these changes."""
    for seed in range(2):
        factory.write(results, factory.metrics(seed=seed))
    cell = factory.write(results, factory.metrics(seed=2, **changes))
    if attempt:
        _edit(cell, attempt)
    return of(results)


def _edit(cell: Path, attempt: Mapping[str, Any]) -> None:
    """Change the last attempt in a manifest, and seal the run again."""
    (run,) = factory.runs(cell)
    told = Manifest.model_validate_json((run / "manifest.json").read_bytes())
    told.attempts[-1] = told.attempts[-1].model_copy(update=attempt)
    atomic.write(run / "manifest.json", told)
    factory.seal(run, factory.metrics(seed=2))


def test_nothing_speaks_against_a_clean_study(tmp_path: Path) -> None:
    found = written(tmp_path)
    assert (found.verdict, found.sound) == ([SOUND], True)
    assert lines(found, "Cells") == ("3 of 3 recorded are done, how many were planned is not recorded",)
    assert lines(found, "Seeds") == ("3 of every row",)
    assert lines(found, "Devices") == ("Test CPU (cpu, 1 thread): 3 runs",)
    assert lines(found, "Machine") == ("not overloaded, shared by up to 2 cells at once",)
    assert lines(found, "Code") == ("commit c0ffee000000, clean: 3 runs",)
    assert lines(found, "Data") == ("Digits: verified",)
    (teacher,) = lines(found, "Teachers")
    assert "sha256 7e7e7e7e7e7e" in teacher
    assert teacher.endswith("; trained here.")


def test_files_of_ones_own_are_named_beside_the_commit(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics("mine", seed=2))
    (run,) = factory.runs(cell)
    told = Manifest.model_validate_json((run / "manifest.json").read_bytes())
    atomic.write(run / "manifest.json", told.model_copy(update={"outside": {"method/mine.py": "ab" * 32}}))
    factory.seal(run, factory.metrics("mine", seed=2))
    factory.write(tmp_path, factory.metrics(seed=0))
    assert lines(of(tmp_path), "Code")[-1] == "with files of their own, kept beside them: mine"


def test_a_finished_grid_says_that_it_is_all_that_was_planned(tmp_path: Path) -> None:
    cell = factory.metrics()
    factory.write(tmp_path, cell)
    factory.plan(tmp_path, [cell])
    assert lines(of(tmp_path), "Cells") == ("1 of 1 planned are done",)


def test_a_grid_in_progress_says_how_much_of_it_is_there(tmp_path: Path) -> None:
    cells = [factory.metrics("a", scale, seed) for scale in (10.0, 100.0) for seed in range(3)]
    for cell in cells[:2]:
        factory.write(tmp_path, cell)
    factory.plan(tmp_path, [cells[0].model_copy(update={"plan_key": "0" * 16}), *cells[1:]])
    found = of(tmp_path)
    # two of 13.5 s; of the other scale nothing is done
    assert lines(found, "Cells") == (
        "1 of 6 planned are done, 1 stale, 4 waiting, under a minute left for 2 of 5 cells, 2 at once",
    )
    assert found.verdict == [
        "The grid is not finished: ranks and means may change.",
        "1 number of older code or configuration than the workflow asks for now.",
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"status": "failed", "reason": "no", "final": None},
            "1 cell ended without a number (1 failed): means are of the other seeds.",
        ),
        ({"data_verified": False}, "Data of Digits: checksums were not compared."),
        ({"device_name": "Other CPU"}, "1 run unlike the others: ran on Other CPU."),
        ({"teacher_sha256": "ab" * 32}, "1 run unlike the others: taught by abababababab."),
        (
            {
                "seconds": Seconds(startup=1.0, synthesis=90.0, distillation=9.0, evaluation=0.0),
                "cpu_seconds": Seconds(startup=1.0, synthesis=9.0, distillation=9.0, evaluation=0.0),
            },
            "The machine was overloaded in 1 run, whose seconds say little.",
        ),
        ({"attempt": {"dirty": True}}, "1 run of code with uncommitted changes, which nobody else has."),
        ({"attempt": {"commit": None, "dirty": None}}, "1 run of unknown code: no commit was recorded."),
    ],
)
def test_what_speaks_against_numbers(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    found = written(tmp_path, **changes)
    assert found.verdict == [said]
    assert not found.sound


def test_accuracies_that_are_not_of_a_test_set_are_a_doubt(tmp_path: Path) -> None:
    for seed in range(2):
        cell = f"toy/digits-tuning/wrn10_1--cnn3_16/ssd-kd/scale-10/seed-{seed}"
        factory.write(tmp_path, factory.metrics(seed=seed, dataset="digits-tuning", cell=cell))
    assert of(tmp_path).verdict == [
        "Digits (tuning): training images stand in for the test set, for choosing hyperparameters; public teachers may "
        "have learned from them."
    ]


def test_a_faster_machine_for_some_runs_is_a_doubt(tmp_path: Path) -> None:
    spent = Seconds(startup=3.0, synthesis=8.0, distillation=2.0, evaluation=36.0)
    slow, fast, brief = (spent.model_copy(update={"evaluation": seconds}) for seconds in (36.0, 15.0, 0.3))
    for label, seconds in (("a", slow), ("b", fast), ("c", brief)):  # a tenth of a second tells nothing
        for seed in range(2):
            factory.write(tmp_path, factory.metrics(label, seed=seed, seconds=seconds))
    assert of(tmp_path).verdict == [
        "The machine was up to 2.4 times as fast in some runs as in others, by the evaluations that all of them make: "
        "seconds differ by as much."
    ]


def test_machines_that_are_not_alike_in_their_work_are_not_compared(tmp_path: Path) -> None:
    for student, evaluation in (("cnn3_16", 15.0), ("cnn3_32", 60.0)):
        spent = Seconds(startup=3.0, synthesis=8.0, distillation=2.0, evaluation=evaluation)
        for seed in range(2):
            cell = f"toy/digits/wrn10_1--{student}/a/scale-10/seed-{seed}"
            factory.write(tmp_path, factory.metrics("a", seed=seed, seconds=spent, cell=cell, student=student))
    assert of(tmp_path).sound


def test_seeds_of_different_options_are_a_doubt(tmp_path: Path) -> None:
    for label in ("dafl", "fast", "ssd-kd"):
        for seed in range(3):
            asked = {"steps": 600 if seed == 0 and label != "fast" else 400}
            factory.write(tmp_path, factory.metrics(label, seed=seed), config=asked)
    assert of(tmp_path).verdict == [
        "Seeds of DAFL at 10 %, SSD-KD at 10 % ran with different steps: 600 (seed 0), 400 (seeds 1, 2)."
    ]


def test_a_single_seed_is_a_doubt(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics())
    assert of(tmp_path).verdict == ["With a single seed no difference can be told from chance."]


def test_rows_in_progress_have_fewer_seeds_than_were_asked_for(tmp_path: Path) -> None:
    cells = [factory.metrics(label, seed=seed) for label in ("a", "b", "c") for seed in range(3)]
    for done in (0, 1, 2, 3):  # three of a, one of b, none of c
        factory.write(tmp_path, cells[done])
    factory.plan(tmp_path, cells)
    found = of(tmp_path)
    assert lines(found, "Seeds") == ("1 to 3 of a row, 3 asked for",)
    assert found.verdict[1:] == ["In 1 row with a single seed no difference can be told from chance."]


def test_nothing_done_leaves_the_cells(tmp_path: Path) -> None:
    cells = [factory.metrics(seed=seed, status="diverged", reason="NaN", final=None) for seed in range(2)]
    for cell in cells:
        factory.write(tmp_path, cell)
    found = of(tmp_path)
    assert [fact.name for fact in found.facts] == ["Cells", "Seeds"]
    assert lines(found, "Seeds") == ("0 of every row, 2 asked for",)
    assert lines(found, "Cells") == ("0 of 2 recorded are done, 2 diverged, how many were planned is not recorded",)


def test_what_dkd_verify_found_counts(tmp_path: Path) -> None:
    written(tmp_path)
    for seed, problem in ((0, None), (1, "top-1 80.00 %, recorded 91.00 %")):
        (run,) = factory.runs(tmp_path / factory.metrics(seed=seed).cell)
        told: dict[str, Any] = {"device": "cpu", "device_name": "Test CPU", "versions": {}, "problem": problem}
        finished = "2026-01-02T00:00:00+00:00"
        metrics = checksums.sha256(run / "metrics.json")
        atomic.write(RunFolder(run).verified, Verification(metrics_sha256=metrics, finished=finished, **told))
    found = of(tmp_path)
    assert lines(found, "Runs")[1] == "2 of 3 measured again by dkd verify"
    assert found.verdict == ["1 run did not give the same number when measured again."]
