import os
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from harness.commands import prune, retry
from harness.store import atomic
from harness.store.layout import RunFolder
from harness.store.records import Seconds
from tests import factory
from tests.harness.conftest import Command


def failed(results: Path, label: str, **changes: Any) -> Path:
    result = factory.metrics(label, status="failed", reason="boom", final=None, best=None, **changes)
    return factory.write(results, result)


def superseded(results: Path) -> Path:
    """A cell with an old run and a current one."""
    old = factory.metrics(key="0" * 16)
    cell = factory.write(results, old)
    (cell / "metrics.json").unlink()
    factory.write(results, factory.metrics())
    return cell / "runs" / ("0" * 16)


def files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "lock")


def test_retry_removes_failures_and_nothing_else(tmp_path: Path) -> None:
    done = factory.write(tmp_path, factory.metrics("ssd-kd"))
    before = files(done)
    cells = [failed(tmp_path, "dafl"), failed(tmp_path, "cmi")]
    assert retry.retry(tmp_path) == sorted(str(cell.relative_to(tmp_path)) for cell in cells)
    assert [files(cell) for cell in cells] == [[], []]
    assert files(done) == before
    assert retry.retry(tmp_path) == []


def test_retry_leaves_a_cell_that_is_done_with_an_old_failure(tmp_path: Path) -> None:
    cell = failed(tmp_path, "ssd-kd", key="0" * 16)
    (cell / "metrics.json").unlink()
    factory.write(tmp_path, factory.metrics("ssd-kd"))
    before = files(cell)
    assert retry.retry(tmp_path) == []
    assert files(cell) == before


def test_retry_keeps_to_its_pattern(tmp_path: Path) -> None:
    kept = failed(tmp_path, "dafl")
    removed = failed(tmp_path, "cmi")
    assert retry.retry(tmp_path, "toy/*/cmi/*") == [str(removed.relative_to(tmp_path))]
    assert (kept / "metrics.json").exists()


def test_retry_of_what_an_overloaded_machine_measured(tmp_path: Path) -> None:
    wall, cpu = (Seconds(startup=1.0, synthesis=work, distillation=0.0, evaluation=0.0) for work in (40.0, 20.0))
    slow = factory.write(tmp_path, factory.metrics("dafl", seconds=wall, cpu_seconds=cpu))
    kept = [factory.write(tmp_path, factory.metrics("cmi", seconds=cpu)), failed(tmp_path, "fast")]
    before = [files(cell) for cell in kept]
    assert retry.retry(tmp_path, overloaded=True) == [str(slow.relative_to(tmp_path))]
    assert files(slow) == []
    assert [files(cell) for cell in kept] == before


def test_retry_finds_a_failure_whose_copy_was_deleted(tmp_path: Path) -> None:
    cell = failed(tmp_path, "dafl")
    (cell / "metrics.json").unlink()
    assert retry.retry(tmp_path) == [str(cell.relative_to(tmp_path))]
    assert files(cell) == []


def test_retry_leaves_a_run_that_somebody_works_in(tmp_path: Path) -> None:
    cell = failed(tmp_path, "dafl")
    before = files(cell)
    (run,) = factory.runs(cell)
    with FileLock(run / "lock"):
        assert retry.retry(tmp_path) == []
    assert files(cell) == before


def test_prune_removes_what_is_not_current(tmp_path: Path) -> None:
    old = superseded(tmp_path)
    current = files(old.parent / factory.metrics().key)
    size = sum(path.stat().st_size for path in files(old))
    assert list(prune.old_runs(tmp_path)) == [prune.OldRun(RunFolder(old), size)]
    assert old.exists()
    assert prune.prune(tmp_path) == [prune.OldRun(RunFolder(old), size)]
    assert not old.exists()
    assert files(old.parent) == current
    assert prune.prune(tmp_path) == []


def test_prune_leaves_a_run_that_somebody_works_in(tmp_path: Path) -> None:
    old = superseded(tmp_path)
    with FileLock(old / "lock"):
        assert prune.prune(tmp_path) == []
    assert files(old)


@pytest.mark.parametrize("content", [None, b'{"cut'])
def test_prune_keeps_all_runs_of_a_cell_without_a_readable_result(tmp_path: Path, content: bytes | None) -> None:
    old = superseded(tmp_path)
    metrics = old.parent.parent / "metrics.json"
    metrics.unlink() if content is None else metrics.write_bytes(content)
    assert prune.prune(tmp_path) == []
    assert len(factory.runs(old.parent.parent)) == 2


def test_the_current_run_survives_although_its_records_are_damaged(tmp_path: Path) -> None:
    cell = factory.write(tmp_path, factory.metrics())
    (run,) = factory.runs(cell)
    (run / "metrics.json").write_bytes(b"{")
    assert prune.prune(tmp_path) == []
    assert factory.runs(cell) == [run]


TORN = [
    "{run}/.mlflow.json.17.tmp",
    "{run}/.verified.json.17.tmp",
    "{cell}/.metrics.json.17.tmp",
    "teachers/digits/wrn10_1/.staged.17.tmp",
    ".probe.17.tmp",
]


@pytest.mark.parametrize("name", TORN)
def test_temporary_files_of_killed_processes_go(name: str, tmp_path: Path, dkd: Command) -> None:
    cell = factory.write(tmp_path, factory.metrics())
    (run,) = factory.runs(cell)
    atomic.write(tmp_path / "teachers/digits/wrn10_1/teacher.json", factory.teacher())
    before = files(tmp_path)
    old = tmp_path / name.format(run=run.relative_to(tmp_path), cell=cell.relative_to(tmp_path))
    young = old.with_name(f"{old.name[:-6]}18.tmp")
    for path in (old, young):
        path.write_bytes(b"{")
    os.utime(old, (0, 0))
    assert dkd("prune", "--dry-run", "--results", tmp_path)[1].startswith(f"{old}: left by a killed process\n")
    assert old.exists()
    assert dkd("prune", "--results", tmp_path)[0] == 0
    assert files(tmp_path) == sorted([*before, young])


@pytest.mark.parametrize(
    ("began", "stays"), [("2026-01-01T00:00:01+00:00", True), ("2025-12-31T23:59:59+00:00", False)]
)
def test_prune_keeps_what_will_be_gone_on_with(tmp_path: Path, began: str, stays: bool) -> None:
    """A run begun after the cell's result was finished is of newer code; one begun before is given up."""
    cell = factory.write(tmp_path, factory.metrics(finished="2026-01-01T00:00:00+00:00"))
    begun = RunFolder(cell / "runs" / ("0" * 16))
    manifest = factory.manifest(factory.metrics())
    attempt = manifest.attempts[0].model_copy(update={"start": began, "end": None, "outcome": None})
    atomic.write(begun.manifest, manifest.model_copy(update={"attempts": [attempt]}))
    begun.checkpoint.write_bytes(b"half")
    assert [run.key for run in (old.folder for old in prune.prune(tmp_path))] == ([] if stays else [begun.key])
    assert begun.checkpoint.exists() == stays
