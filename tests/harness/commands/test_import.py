from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from harness.commands import import_results
from harness.errors import UserError
from harness.store import atomic, checksums, reading
from harness.store.layout import CellFolder
from tests import factory
from tests.harness.conftest import Command

WEIGHTS = b"weights of a teacher"


def add(results: Path, **changes: Any) -> Path:
    """A finished run with weights and sheet that are what its record says. Returns its folder."""
    result = factory.metrics(**changes)
    run = factory.write(results, result) / "runs" / result.key
    (run / "student.safetensors").write_bytes(b"weights")
    sums = {"student": run / "student.safetensors", "samples": run / "samples.png"}
    known = {f"{name}_sha256": checksums.sha256(path) for name, path in sums.items() if path.exists()}
    atomic.write(run / "metrics.json", result.model_copy(update=known))
    atomic.copy(run / "metrics.json", run.parent.parent / "metrics.json")
    return run


def teach(results: Path, weights: bytes = WEIGHTS, **changes: Any) -> str:
    place = results / "teachers/digits/wrn10_1"
    atomic.write_bytes(place / "teacher.safetensors", weights)
    sha256 = checksums.sha256(place / "teacher.safetensors")
    atomic.write(place / "teacher.json", factory.teacher().model_copy(update={"sha256": sha256, **changes}))
    return sha256


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Two runs, one of them superseded by a third, and an unfinished one."""
    folder = tmp_path / "theirs"
    sha256 = teach(folder)
    old = add(folder, seed=0, key="0" * 16, teacher_sha256=sha256)
    (old.parent.parent / "metrics.json").unlink()
    add(folder, seed=0, teacher_sha256=sha256)
    run = add(folder, seed=1, teacher_sha256=sha256)
    for name in ("lock", "mlflow.json", "checkpoint.pt"):
        (run / name).write_bytes(b"theirs alone")
    (add(folder, seed=2, teacher_sha256=sha256) / "metrics.json").unlink()
    (folder / factory.metrics(seed=2).cell / "metrics.json").unlink()
    return folder


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    return tmp_path / "ours"


def test_finished_runs_and_their_teacher_are_added(theirs: Path, ours: Path) -> None:
    report = import_results.merge(theirs, ours)
    assert str(report) == "3 runs and 1 teachers imported, 0 already here, 1 unfinished"
    unfinished = factory.metrics(seed=2).cell
    left_there = ("lock", "mlflow.json", "checkpoint.pt")
    expected = {
        name: content
        for name, content in files(theirs).items()
        if not name.startswith(unfinished) and not name.endswith(left_there)
    }
    assert files(ours) == expected
    assert {path.name for path in ours.iterdir()} == {"teachers", "toy"}


def test_a_second_import_changes_nothing(theirs: Path, ours: Path) -> None:
    import_results.merge(theirs, ours)
    before = {path: path.stat().st_mtime_ns for path in ours.rglob("*")}
    assert str(import_results.merge(theirs, ours)) == "0 runs and 0 teachers imported, 3 already here, 1 unfinished"
    assert {path: path.stat().st_mtime_ns for path in ours.rglob("*")} == before


def test_an_import_that_was_cut_off_is_finished(theirs: Path, ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def dies(folder: Path, target: Path) -> None:
        calls.append(target)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "move", dies)
        with pytest.raises(KeyboardInterrupt):
            import_results.merge(theirs, ours)
    assert len(calls) == 1
    assert not list(ours.glob("*/*/*--*/*/scale-*/seed-*"))
    assert import_results.merge(theirs, ours).imported == 3
    assert not (ours / ".import").exists()


def test_ours_stays(theirs: Path, ours: Path) -> None:
    sha256 = teach(ours)
    same_key = add(ours, seed=0, final=12.0, teacher_sha256=sha256)
    begun = ours / factory.runs(theirs / factory.metrics(seed=1).cell)[0].relative_to(theirs)
    atomic.write_bytes(begun / "checkpoint.pt", b"ours")
    before = files(ours)
    report = import_results.merge(theirs, ours)
    assert (report.imported, report.known, report.teachers) == (1, 0, 0)
    assert before.items() <= files(ours).items()
    assert reading.current_key(CellFolder(same_key.parent.parent)) == same_key.name
    conflict, unfinished = sorted(report.problems)
    assert f"runs/{same_key.name}: we have another result of this key: 12.00 %" in conflict
    assert "there 90.00 %" in conflict
    assert "we have begun the same run" in unfinished


def test_a_newer_result_of_ours_stays_the_cells_result(theirs: Path, ours: Path) -> None:
    mine = add(ours, seed=0, key="f" * 16, teacher_sha256=teach(ours))
    assert import_results.merge(theirs, ours).imported == 3
    assert reading.current_key(CellFolder(mine.parent.parent)) == "f" * 16
    assert len(factory.runs(mine.parent.parent)) == 3


def test_another_teacher_than_ours_is_refused_with_all_it_taught(theirs: Path, ours: Path) -> None:
    mine, other = (
        teach(ours, b"other weights"),
        checksums.sha256(theirs / "teachers/digits/wrn10_1/teacher.safetensors"),
    )
    before = files(ours)
    report = import_results.merge(theirs, ours)
    assert report.imported == 0
    assert len(report.problems) == 4
    assert f"another teacher than ours: sha256 {other}, ours {mine}" in report.problems[0]
    taught = f"taught by another teacher than ours: sha256 {other}, ours {mine}"
    assert all(taught in problem for problem in report.problems[1:])
    assert files(ours) == before


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("metrics.json", b"{", "metrics.json: damaged record"),
        ("manifest.json", b"{", "manifest.json: damaged record"),
        ("events.jsonl", b"{}\n", "events.jsonl: damaged record: line 1"),
        ("events.jsonl", b"", "events.jsonl: damaged record: ends at step 0, the run at step 200"),
        ("student.safetensors", b"cut", "student.safetensors is not what its record says"),
        ("samples.png", b"cut", "samples.png is not what its record says"),
        ("manifest.json", None, "its manifest.json is missing"),
    ],
)
def test_damaged_runs_are_named(theirs: Path, ours: Path, file: str, content: bytes | None, reason: str) -> None:
    (run,) = factory.runs(theirs / factory.metrics(seed=1).cell)
    (run / file).unlink() if content is None else (run / file).write_bytes(content)
    report = import_results.merge(theirs, ours)
    assert report.imported == 2
    (problem,) = report.problems
    assert problem.startswith(str(run))
    assert reason in problem
    assert not (ours / run.relative_to(theirs)).exists()


def test_a_run_in_the_wrong_place_is_refused(theirs: Path, ours: Path) -> None:
    cell = theirs / factory.metrics(seed=1).cell
    shutil.copytree(cell, cell.with_name("seed-9"))
    (problem,) = import_results.merge(theirs, ours).problems
    assert f"holds the records of {factory.metrics(seed=1).cell}" in problem


@pytest.mark.parametrize(
    ("weights", "record", "reason"),
    [
        (b"cut", {}, "teacher.safetensors is not what its record says"),
        (None, {}, "its weights are missing"),
        (WEIGHTS, {"value": 97.0}, "97.00 % is below its floor of 98.50 %"),
    ],
)
def test_a_bad_teacher_is_named(
    theirs: Path, ours: Path, weights: bytes | None, record: dict[str, Any], reason: str
) -> None:
    teach(theirs, **record)
    path = theirs / "teachers/digits/wrn10_1/teacher.safetensors"
    path.unlink() if weights is None else path.write_bytes(weights)
    report = import_results.merge(theirs, ours)
    assert report.teachers == 0
    assert reason in report.problems[0]
    assert not (ours / "teachers").exists()


def test_the_command(theirs: Path, ours: Path, dkd: Command) -> None:
    assert dkd("import", theirs, "--results", ours)[:2] == (
        0,
        "3 runs and 1 teachers imported, 0 already here, 1 unfinished\n",
    )
    (run,) = factory.runs(theirs / factory.metrics(seed=1).cell)
    (run / "metrics.json").write_bytes(b"{")
    code, output, errors = dkd("import", theirs, "--results", ours)
    assert (code, output) == (1, "0 runs and 0 teachers imported, 2 already here, 1 unfinished, 1 left out\n")
    assert errors.startswith(f"{run}/metrics.json: damaged record")


def test_there_must_be_something_to_import(tmp_path: Path, theirs: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(UserError, match="no results folder: there is no cell in it"):
            import_results.merge(folder, tmp_path / "ours")
    with pytest.raises(UserError, match="that is where results are imported to"):
        import_results.merge(theirs, theirs)
