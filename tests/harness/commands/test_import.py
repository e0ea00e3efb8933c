from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.commands import import_results
from harness.errors import UserError
from harness.store import atomic, checking, checksums, occupancy, reading
from harness.store.layout import CellFolder, Results, TeacherFolder
from harness.store.records import Metrics
from tests import factory
from tests.harness.conftest import Command

WEIGHTS = b"weights of a teacher"


def add(results: Path, **changes: Any) -> Path:
    """A finished run with weights and sheet that are what its record says. Returns its folder."""
    result = factory.metrics(**changes)
    run = factory.write(results, result) / "runs" / result.key
    (run / "student.safetensors").write_bytes(b"weights")
    factory.seal(run, result)
    return run


def teach(results: Path, weights: bytes = WEIGHTS, **changes: Any) -> str:
    place = results / "teachers/digits/wrn10_1"
    atomic.write_bytes(place / "teacher.safetensors", weights)
    sha256 = checksums.sha256(place / "teacher.safetensors")
    atomic.write(place / "teacher.json", factory.teacher().model_copy(update={"sha256": sha256, **changes}))
    return sha256


def files(folder: Path) -> dict[str, bytes]:
    """Name -> content; locks stay where they were held."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name not in (".import.lock", "lock")]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


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
    assert str(report) == "3 runs and 1 teacher imported, 0 already here, 1 unfinished"
    unfinished = factory.metrics(seed=2).cell
    left_there = ("mlflow.json", "checkpoint.pt")
    expected = {
        name: content
        for name, content in files(theirs).items()
        if not name.startswith(unfinished) and not name.endswith(left_there)
    }
    assert files(ours) == expected
    assert {path.name for path in ours.iterdir()} == {".import.lock", "teachers", "toy"}


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
    assert checking.current_key(CellFolder(same_key.parent.parent)) == same_key.name
    conflict, unfinished = sorted(report.problems)
    assert f"runs/{same_key.name}: we have another result of this key: 12.00 %" in conflict
    assert "there 90.00 %" in conflict
    assert "we have begun the same run" in unfinished


def test_a_newer_result_of_ours_stays_the_cells_result(theirs: Path, ours: Path) -> None:
    mine = add(ours, seed=0, key="f" * 16, teacher_sha256=teach(ours))
    assert import_results.merge(theirs, ours).imported == 3
    assert checking.current_key(CellFolder(mine.parent.parent)) == "f" * 16
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
        ("manifest.json", b"{", "manifest.json: damaged record: was changed"),
        ("events.jsonl", b"{}\n", "events.jsonl: damaged record: n: Field required"),
        ("events.jsonl", b"", "events.jsonl: damaged record: holds no evaluation"),
        ("student.safetensors", b"cut", "student.safetensors: damaged record: was changed"),
        ("samples.png", b"cut", "samples.png: damaged record: was changed"),
        ("manifest.json", None, "manifest.json is missing"),
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
    assert f"is the record of {factory.metrics(seed=1).cell}" in problem


def _symlink(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


def _huge(path: Path) -> None:
    path.touch()
    os.truncate(path, 5 * 2**30)


@pytest.mark.parametrize("trap", [_symlink, _endless, _loop, _huge, os.mkfifo, Path.mkdir])
@pytest.mark.parametrize(
    "file", ["attempts.log", "student.safetensors", "events.jsonl", "manifest.json", "metrics.json"]
)
def test_only_regular_files_of_sane_sizes_are_taken(
    theirs: Path, ours: Path, file: str, trap: Callable[[Path], None]
) -> None:
    (run,) = factory.runs(theirs / factory.metrics(seed=1).cell)
    (run / file).unlink(missing_ok=True)
    trap(run / file)
    report = import_results.merge(theirs, ours)
    assert (report.imported, len(report.problems)) == (2, 1)
    assert f"{run}/{file}" in report.problems[0]
    assert not (ours / run.relative_to(theirs)).exists()


def test_a_folder_that_leads_elsewhere_is_refused(theirs: Path, ours: Path, tmp_path: Path) -> None:
    cell = theirs / factory.metrics(seed=1).cell
    shutil.move(cell, tmp_path / "elsewhere")
    cell.symlink_to(tmp_path / "elsewhere")
    report = import_results.merge(theirs, ours)
    assert report.imported == 2
    assert "a symbolic link on the way" in report.problems[0]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"final": 250.0}, "final: Input should be less than or equal to 100"),
        ({"final": 99.5, "best": 99.5}, "final is 99.5, the last evaluation says 91.0"),
        ({"best": 99.5}, "best is 99.5, events.jsonl says 92.0"),
        ({"label": "dafl"}, "is the record of toy/digits/wrn10_1--cnn3_16/dafl/scale-10/seed-1"),
        ({"scale": 20.0}, "is the record of toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-20/seed-1"),
        ({"key": "0" * 16}, "key is 0000000000000000, its folder is"),
        ({"reason": "\x1b[2J"}, "control characters"),
        ({"device_name": "\u202eUPC"}, "direction marks"),
    ],
)
def test_what_a_record_claims_must_be_so(theirs: Path, ours: Path, changes: dict[str, Any], reason: str) -> None:
    (run,) = factory.runs(theirs / factory.metrics(seed=1).cell)
    atomic.write(run / "metrics.json", reading.read(run / "metrics.json", Metrics).model_copy(update=changes))
    report = import_results.merge(theirs, ours)
    assert report.imported == 2
    assert reason in report.problems[0]
    assert report.problems[0].isprintable()


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\u202eb", "a\nb"])
def test_names_that_are_not_printable_are_refused_and_never_printed(theirs: Path, ours: Path, name: str) -> None:
    cell = theirs / factory.metrics(seed=1).cell
    shutil.copytree(cell, cell.parents[2] / name / "scale-10/seed-1")
    report = import_results.merge(theirs, ours)
    assert (report.imported, len(report.problems)) == (3, 1)
    assert report.problems[0].isprintable()


def test_a_teacher_of_another_network_is_refused(theirs: Path, ours: Path) -> None:
    teach(theirs, network="vgg11")
    report = import_results.merge(theirs, ours)
    assert report.teachers == 0
    assert "a teacher wrn10_1 that is a vgg11" in report.problems[0]


@pytest.mark.parametrize(
    ("weights", "record", "reason"),
    [
        (b"cut", {}, "teacher.safetensors: damaged record: was changed"),
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
        "3 runs and 1 teacher imported, 0 already here, 1 unfinished\n",
    )
    (run,) = factory.runs(theirs / factory.metrics(seed=1).cell)
    (run / "metrics.json").write_bytes(b"{")
    code, output, errors = dkd("import", theirs, "--results", ours)
    assert (code, output) == (1, "0 runs and 0 teachers imported, 2 already here, 1 unfinished, 1 left out\n")
    assert errors.startswith(f"{run}/metrics.json: damaged record")


def test_there_must_be_something_to_import(tmp_path: Path, theirs: Path) -> None:
    with pytest.raises(UserError, match="no results folder: there is no such folder"):
        import_results.merge(tmp_path / "nowhere", tmp_path / "ours")
    with pytest.raises(UserError, match=f"there is no cell in it; the results folder is {theirs}"):
        import_results.merge(theirs / "toy", tmp_path / "ours")
    with pytest.raises(UserError, match="that is where results are imported to"):
        import_results.merge(theirs, theirs)


def test_a_teacher_that_came_while_its_place_was_waited_for_is_not_replaced(
    theirs: Path, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def after_a_training(folder: TeacherFolder, report: object) -> Iterator[None]:
        teach(ours, b"trained meanwhile")
        yield

    monkeypatch.setattr("harness.teachers.shelf.alone", after_a_training)
    report = import_results.merge(theirs, ours)
    assert report.teachers == 0
    assert "a teacher of ours was made meanwhile" in report.problems[0]
    assert (ours / "teachers/digits/wrn10_1/teacher.safetensors").read_bytes() == b"trained meanwhile"


def test_one_import_waits_for_another(theirs: Path, ours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    waiting, hold = threading.Event(), occupancy.hold
    other = threading.Thread(target=lambda: done.append(str(import_results.merge(theirs, ours))))
    with hold(Results(ours).import_lock, "the first"):
        monkeypatch.setattr(occupancy, "hold", lambda lock, what, *_: hold(lock, what, lambda line: waiting.set()))
        other.start()
        assert waiting.wait(60)
        assert not (ours / ".import").exists()
    other.join()
    assert done == ["3 runs and 1 teacher imported, 0 already here, 1 unfinished"]


def test_trouble_of_ours_is_not_taken_for_theirs_where_names_begin_alike(theirs: Path) -> None:
    ours = theirs.with_name("theirs-too")

    def full(folder: TeacherFolder) -> None:
        raise OSError(errno.ENOSPC, "no space left", str(ours / "teachers/digits/wrn10_1/teacher.json"))

    work = import_results._Import(Results(theirs), Results(ours))
    with pytest.raises(OSError, match="no space left"):
        work.attempt(full, Results(theirs).teacher("digits", "wrn10_1"))
