"""Records as they are written and read back: cut, torn, appended to, of another version."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from harness.store import atomic, occupancy, reading
from harness.store.layout import RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Metrics, Progress
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


@pytest.mark.parametrize(("ahead", "running"), [(0.0, True), (-30.0, True), (-3600.0, False), (3600.0, False)])
def test_only_progress_of_about_now_shows_a_run_elsewhere(tmp_path: Path, ahead: float, running: bool) -> None:
    (run,) = map(RunFolder, factory.runs(factory.write(tmp_path, factory.metrics())))
    seconds = factory.metrics().seconds
    note = Progress(epoch=1, epochs=4, seconds=seconds, cpu_seconds=seconds, pid=1, time=time.time() + ahead)
    atomic.write(run.progress, note)
    assert occupancy.working(run) == running
