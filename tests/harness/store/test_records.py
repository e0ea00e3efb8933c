"""Records as they are written and read back: cut, torn, appended to, of another version."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.engine.losses import LENGTH, NAMES
from harness.store import atomic, files, occupancy, reading
from harness.store.layout import RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Metrics, Progress, Seconds
from methods.base.method import MethodConfig
from methods.base.prior import Prior
from tests import factory


def test_a_cut_metrics_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "metrics.json"
    atomic.write(file, factory.metrics())
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(DamagedRecord, match=r"metrics\.json"):
        reading.read(file, Metrics)


def test_events_are_never_written_twice_and_a_torn_line_is_replaced(tmp_path: Path) -> None:
    file, events = tmp_path / "events.jsonl", factory.events(4)
    atomic.append_events(file, events[:2])
    with file.open("ab") as torn:
        torn.write(events[2].model_dump_json().encode()[:40])
    atomic.append_events(file, events)
    atomic.append_events(file, events)
    assert reading.read_events(RunFolder(file.parent)) == events


@pytest.mark.parametrize("line", ["12:00:00 a line\n", "x" * 100_000 + "\n", "no end of a line ", "\u20ac" * 50 + "\n"])
def test_of_a_long_log_both_ends_stay(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "LOG", 400_000)
    log, most, count = tmp_path / "attempts.log", 0, 1 + 1_000_000 // len(line.encode())
    atomic.append_text(log, "the first line\n")
    for number in range(0, count, block := max(1, count // 40)):
        atomic.append_text(log, f"{number}\n" + line * block)
        most = max(most, log.stat().st_size)
    atomic.append_text(log, "\nthe last line\n")
    text = log.read_text(encoding="utf-8")
    assert text.startswith("the first line\n")
    assert text.endswith("\nthe last line\n")
    assert text.count("both ends stay") == 1
    assert most <= 400_000
    assert list(tmp_path.iterdir()) == [log]


def test_a_log_that_is_far_too_long_already_is_cut_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic, "LOG", 1000)
    log = tmp_path / "attempts.log"
    log.write_bytes(b"first\n" + b"x\n" * 100_000)
    atomic.append_text(log, "last\n")
    assert log.stat().st_size < 1000


def test_the_longest_learning_curve_that_can_be_written_can_be_read() -> None:
    """The bounds of epochs and losses, as the contract has them, against the bounds of reading."""
    epochs = next(bound.le for bound in MethodConfig.model_fields["epochs"].metadata if hasattr(bound, "le"))
    widest, losses = -1.2345678901234567e-300, [f"{n:0{LENGTH}}" for n in range(NAMES)]
    seconds = dict.fromkeys(Seconds.model_fields, 1.2345678901234567e-300)
    whole = dict.fromkeys(("n", "epoch", "round", "step"), 10**12)
    numbers = dict.fromkeys(("time", "metric", "agreement"), 1.2345678901234567e-300)
    means = dict.fromkeys(("synthesis", "distillation"), dict.fromkeys(losses, widest))
    line = json.dumps({**whole, **numbers, **means, "seconds": seconds, "cpu_seconds": seconds})
    assert len(line) < reading.LINE / 5
    assert len(line) * epochs < files.MOST


def test_damage_in_the_middle_is_named(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    atomic.append_events(file, factory.events(3))
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(lines[0] + lines[2])
    with pytest.raises(DamagedRecord, match="line 2 carries number 2, expected 1"):
        reading.read_events(RunFolder(file.parent))


def test_a_failed_write_leaves_the_old_content(tmp_path: Path) -> None:
    file = tmp_path / "x"
    atomic.write_bytes(file, b"old")

    def fails(temporary: Path) -> None:
        temporary.write_bytes(b"ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        atomic.write_with(file, fails)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(("version", "why"), [(1, "before 2, records were not sealed"), (3, "")])
def test_a_record_of_another_version_is_refused(version: int, why: str, tmp_path: Path) -> None:
    file = tmp_path / "metrics.json"
    text = factory.metrics().model_dump_json().replace('"schema_version":2', f'"schema_version":{version}')
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DamagedRecord, match=f"another version.*: schema_version {version}, this one reads 2.*{why}"):
        reading.read(file, Metrics)


@pytest.mark.parametrize(("data_free", "prior"), [("true", Prior.NONE), ("false", Prior.REAL_IMAGES)])
def test_a_record_of_before_there_were_priors_says_whether_it_is_data_free(data_free: str, prior: Prior) -> None:
    text = factory.metrics(prior=Prior.LABEL_TEXT).model_dump_json()
    older = text.replace('"prior":"label text"', f'"data_free":{data_free}')
    assert Metrics.model_validate_json(older).prior is prior
    with pytest.raises(ValidationError, match="data_free"):
        Metrics.model_validate_json(older.replace(f":{data_free}", ":[1]", 1))


def test_the_next_writer_removes_what_killed_ones_left(tmp_path: Path) -> None:
    """Of the same file alone, and not what another process may be writing now."""
    names = ".a[1].json.17.tmp", ".a[1].json.18.tmp", ".b.json.17.tmp"
    old, young, other = (tmp_path / name for name in names)
    for path in (old, young, other):
        path.write_bytes(b"{")
    for path in (old, other):
        os.utime(path, (0, 0))
    atomic.write_bytes(tmp_path / "a[1].json", b"{}")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([young.name, other.name, "a[1].json"])


@pytest.mark.parametrize(
    ("ahead", "running"), [(0.0, True), (-59.0, True), (59.0, True), (-61.0, False), (61.0, False)]
)
def test_only_progress_of_about_now_shows_a_run_elsewhere(
    tmp_path: Path, ahead: float, running: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occupancy.time, "time", lambda: 1e9)
    (run,) = map(RunFolder, factory.runs(factory.write(tmp_path, factory.metrics())))
    seconds = factory.metrics().seconds
    note = Progress(epoch=1, epochs=4, seconds=seconds, cpu_seconds=seconds, pid=1, time=1e9 + ahead)
    atomic.write(run.progress, note)
    assert occupancy.working(run) == running


def test_content_is_on_disk_before_its_name_and_the_name_before_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, replace = list[str](), os.replace

    def sync(handle: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{handle}") else "content")

    def name(old: Path, new: Path) -> None:
        done.append("name")
        replace(old, new)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(os, "replace", name)
    atomic.write_bytes(tmp_path / "x", b"1")
    assert done == ["content", "name", "folder"]
