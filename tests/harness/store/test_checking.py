"""Numbers and files that were changed after a run wrote them: every reader notices, says what, and goes on."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.commands import doctor, output, prune, retry, trace
from harness.commands.compare import sides
from harness.reporting import runs as reporting
from harness.store import checking
from harness.store.layout import CellFolder, RunFolder
from harness.store.reading import DamagedRecord
from harness.tracking import view
from tests import factory

Change = Callable[[RunFolder], None]


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """Seed 1 of a cell, whole and sound; seed 2 stands beside it."""
    for seed in (1, 2):
        result = factory.metrics(seed=seed)
        folder = factory.write(tmp_path, result) / "runs" / result.key
        (folder / "student.safetensors").write_bytes(bytes([seed]) * 1000)
        factory.seal(folder, result)
    return RunFolder(tmp_path / factory.metrics(seed=1).cell / "runs" / factory.metrics(seed=1).key)


def edit(*paths: Path, **changes: Any) -> None:
    """Change fields of JSON files, as an editor does."""
    for path in paths:
        path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def both(**changes: Any) -> Change:
    """The same change in the run and in the cell's copy."""
    return lambda run: edit(run.metrics, run.cell.metrics, **changes)


def copy(**changes: Any) -> Change:
    return lambda run: edit(run.cell.metrics, **changes)


def original(**changes: Any) -> Change:
    return lambda run: edit(run.metrics, **changes)


def of_seed_2(name: str) -> Change:
    """Another seed's file under this run."""

    def change(run: RunFolder) -> None:
        (other,) = CellFolder(run.cell.path.with_name("seed-2")).runs()
        shutil.copy(other.path / name, run.path / name)

    return change


def gone(name: str) -> Change:
    return lambda run: (run.path / name).unlink()


def flipped(name: str) -> Change:
    """One bit in the middle of a file."""

    def change(run: RunFolder) -> None:
        data = bytearray((run.path / name).read_bytes())
        data[len(data) // 2] ^= 1
        (run.path / name).write_bytes(data)

    return change


def replaced(name: str, make: Callable[[Path], object]) -> Change:
    def change(run: RunFolder) -> None:
        (run.path / name).unlink()
        make(run.path / name)

    return change


def _loop(path: Path) -> None:
    path.symlink_to(path.name)


SECONDS = {"startup": 3.0, "synthesis": 8.0, "distillation": 2.0, "evaluation": 0.5, "waiting": 0.0, "lost": 0.0}

NUMBERS: dict[str, tuple[Change, str]] = {
    "final in the copy": (copy(final=92.0), "is no copy of .*: final is 92.0, there 91.0"),
    "final in the run": (original(final=92.0), "is no copy of .*: final is 91.0, there 92.0"),
    "final in both": (both(final=92.0), "final is 92.0, the last evaluation says 91.0"),
    "agreement": (both(agreement=91.0), "agreement is 91.0, the last evaluation says 90.5"),
    "steps": (both(steps=100), "steps is 100, the last evaluation says 200"),
    "time": (both(seconds=SECONDS | {"synthesis": 1.0}), "seconds.synthesis is 1.0, the last evaluation says 8.0"),
    "start-up": (both(cpu_seconds=SECONDS | {"startup": 4.0}), "cpu_seconds.startup is 4.0, the last evaluation"),
    "above 100": (both(final=250.0), "final: Input should be less than or equal to 100"),
    "below 0": (both(teacher_metric=-5.0), "teacher_metric: Input should be greater than or equal to 0"),
    "negative seconds": (both(seconds=SECONDS | {"lost": -1.0}), "seconds.lost: Input should be greater"),
    "no final": (both(final=None), "done, but without final"),
    "failed, with a number": (both(status="failed"), "failed, but with a final value"),
    "no images": (both(images=0), "images: Input should be greater than or equal to 1"),
    "a seed below 0": (both(seed=-1), "seed: Input should be greater than or equal to 0"),
    "a scale of 0": (both(scale=0), "scale: Input should be greater than or equal to 0.001"),
    "another scale": (both(scale=20.0), "is the record of toy/digits/wrn10_1--cnn3_16/ssd-kd/scale-20/seed-1"),
    "another label": (both(label="dafl"), "is the record of toy/digits/wrn10_1--cnn3_16/dafl/scale-10/seed-1"),
    "a label as long as a book": (both(label="a" * 5000), "label: String should have at most 200 characters"),
    "a label of a path": (both(label="../../x"), "label: a name is letters, digits"),
    "another cell": (both(cell=factory.metrics(seed=2).cell), "is the record of .*/seed-2"),
    "a key of no run": (copy(key="0" * 16), "its run 0000000000000000 is not there"),
    "a number of forty digits": (both(steps=10**40), "steps: "),
    "no date": (both(finished="yesterday"), "finished: "),
    "another seed's events": (of_seed_2("events.jsonl"), "final is 91.0, the last evaluation says 92.0"),
    "no events": (gone("events.jsonl"), "holds no evaluation"),
}
"""What is noticed at every read."""

FILES: dict[str, tuple[Change, str]] = {
    "best": (both(best=99.0), "best is 99.0, events.jsonl says 92.0"),
    "best epoch": (both(best_epoch=3), "best_epoch is 3, events.jsonl says 2"),
    "a bit of the events": (flipped("events.jsonl"), "events.jsonl"),
    "a bit of the manifest": (flipped("manifest.json"), "was changed after it was written"),
    "another seed's manifest": (of_seed_2("manifest.json"), "was changed after it was written"),
    "no manifest": (gone("manifest.json"), "manifest.json is missing"),
    "a bit of the samples": (flipped("samples.png"), "was changed after it was written"),
    "a folder for a manifest": (replaced("manifest.json", Path.mkdir), "cannot be read: not a regular file"),
    "a circle of links": (replaced("samples.png", _loop), "cannot be read: symbolic links in a circle"),
    "a pipe": (replaced("samples.png", os.mkfifo), "cannot be read: not a regular file"),
}
"""What is noticed where a run's files are read."""

PLACES: dict[str, tuple[Change, str]] = {
    f"{what} for {name}": (replaced(name, make), "cannot be read")
    for name in ("metrics.json", "events.jsonl")
    for what, make in {"a folder": Path.mkdir, "a circle of links": _loop, "a pipe": os.mkfifo}.items()
}

CHEAP = NUMBERS | PLACES
ALL = CHEAP | FILES


def cases(some: dict[str, tuple[Change, str]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("change", "reason"), some.values(), ids=some.keys())


def test_what_is_sound_is_read(run: RunFolder) -> None:
    result = checking.current(run.cell)
    assert (result.final, result.best, result.key) == (91.0, 92.0, run.key)
    assert len(checking.evidence(run, result).events) == 4


@cases(CHEAP)
def test_every_read_notices(run: RunFolder, change: Change, reason: str) -> None:
    change(run)
    with pytest.raises(DamagedRecord, match=reason):
        checking.current(run.cell)
    assert checking.current_key(run.cell) is None


@cases(ALL)
def test_reports_leave_it_out_and_say_why(run: RunFolder, change: Change, reason: str) -> None:
    change(run)
    odd, sound = reporting.load(run.cell.results.path)
    assert (odd.status, sound.status) == ("damaged", "done")
    assert odd.reason is not None
    with pytest.raises(DamagedRecord, match=reason):
        raise DamagedRecord(run.metrics, odd.reason if "is missing" in odd.reason else f"{odd.reason} events.jsonl")


@cases(ALL | {"student": (flipped("student.safetensors"), "student.safetensors: was changed")})
def test_doctor_names_it(run: RunFolder, change: Change, reason: str) -> None:
    change(run)
    *odd, last = doctor.stored_records(run.cell.results.path)
    assert [check for check in odd if not check.ok]
    assert last.ok


@cases(CHEAP)
def test_compare_leaves_it_out_and_says_why(run: RunFolder, change: Change, reason: str) -> None:
    change(run)
    side = sides.side(str(run.cell.results.path), run.cell.results.path)
    assert list(side.runs) == [factory.metrics(seed=2).cell]
    assert len(side.problems) == 1


@cases({name: case for name, case in ALL.items() if "copy" not in name and "no run" not in name})
def test_trace_and_mlflow_show_no_number(run: RunFolder, change: Change, reason: str) -> None:
    change(run)
    text = "\n".join(output.lines(trace.describe(run), terminal=False))
    assert "damaged record" in text
    with pytest.raises(DamagedRecord):
        view.of_run(run, superseded=False, working=False)


@cases(ALL)
def test_nothing_is_removed_beside_it(run: RunFolder, change: Change, reason: str) -> None:
    shutil.copytree(run.path, run.path.with_name("0" * 16))
    change(run)
    prune.prune(run.cell.results.path)
    retry.retry(run.cell.results.path)
    assert [one.key for one in run.cell.runs()] == ["0" * 16, run.key]


def test_a_sheet_too_large_to_open_is_named_though_it_is_sealed(run: RunFolder) -> None:
    data = bytearray(run.samples.read_bytes())
    data[16:24] = struct.pack(">II", 30_000, 30_000)
    run.samples.write_bytes(data)
    factory.seal(run.path, checking.finished(run))
    with pytest.raises(DamagedRecord, match="has 30000 × 30000 pixels"):
        checking.evidence(run, checking.finished(run))


def test_a_manifest_without_attempts_is_named_though_it_is_sealed(run: RunFolder) -> None:
    edit(run.manifest, attempts=[])
    factory.seal(run.path, checking.finished(run))
    with pytest.raises(DamagedRecord, match="attempts: List should have at least 1 item"):
        checking.evidence(run, checking.finished(run))


def test_students_and_samples_may_be_left_behind(run: RunFolder) -> None:
    run.student.unlink()
    run.samples.unlink()
    checking.evidence(run, checking.current(run.cell))


def test_a_copy_stands_for_the_original_if_all_else_agrees(run: RunFolder) -> None:
    run.metrics.unlink()
    assert checking.current(run.cell).final == 91.0
    edit(run.manifest, numbers=9)
    with pytest.raises(DamagedRecord, match=r"manifest\.json"):
        checking.current(run.cell)


def test_failures_need_no_numbers_and_no_events(tmp_path: Path) -> None:
    result = factory.metrics(status="failed", reason="boom", steps=None)
    cell = CellFolder(factory.write(tmp_path, result))
    assert checking.current(cell).reason == "boom"
    (run,) = cell.runs()
    run.events.unlink()
    with pytest.raises(DamagedRecord, match=r"events\.jsonl is missing"):
        checking.evidence(run, checking.finished(run))
    edit(run.metrics, events_sha256=None)
    checking.evidence(run, checking.finished(run))
