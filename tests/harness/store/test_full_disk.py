"""A real disk that fills up while a cell runs: a short error, nothing half-written, and the same command finishes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.store import checksums, reading
from harness.store.layout import RunFolder
from harness.store.records import Manifest, Metrics
from tests import factory
from tests.harness.disks import Disk, small_disk

KIB = 1024
STUDY = """
study: t
dataset: digits
device: cpu
pairs: [{{teacher: wrn10_1, student: cnn3_16}}]
scales: [5]
seeds: [0]
checkpoint_seconds: {seconds}
budget: {{steps: 60, epochs: 3, batch: 8}}
methods: {{kd-noise: {{}}}}
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk", 1024 * KIB) as found:
        factory.untrained_teacher(found.folder)
        yield found


@pytest.mark.parametrize(
    ("room", "checkpoint_seconds", "file"),
    [
        (0, 1e-6, "manifest.json"),
        (60 * KIB, 1e-6, "checkpoint.pt"),
        (250 * KIB, 1e-6, "checkpoint.pt"),  # the second: a checkpoint has 200 KiB
        (250 * KIB, 1000, "student.safetensors"),  # 100 KiB, beside the only checkpoint
    ],
)
def test_a_disk_that_fills_up(disk: Disk, tmp_path: Path, room: int, checkpoint_seconds: float, file: str) -> None:
    if not disk.mounted and room > 200 * KIB:
        pytest.skip("no tmpfs can be mounted here, and a limit on the size of each file does not stop this one")
    (tmp_path / "t.yaml").write_text(STUDY.format(seconds=f"{checkpoint_seconds:f}"), encoding="utf-8")
    command = ["run", "t/*", "--configfile", tmp_path / "t.yaml", "--results", disk.folder]
    disk.leave(room)
    full = disk.dkd(*command)
    assert full.returncode == 1, full.stderr
    assert full.stderr.splitlines()[0].startswith("error: disk full: " if disk.mounted else "error: file larger")
    assert full.stderr.splitlines()[0].endswith(f"/{file}")
    assert len(full.stderr.splitlines()) == 2
    assert not list(disk.folder.rglob("*.tmp"))
    assert not factory.find_metrics(disk.folder)
    for manifest in disk.folder.glob("t/**/manifest.json"):
        assert len(reading.read(manifest, Manifest).attempts) == 1

    disk.free()
    finished = disk.dkd(*command)
    assert finished.returncode == 0, finished.stderr
    assert ("resumed at round" in finished.stdout) == (room > 200 * KIB)
    (found,) = factory.find_metrics(disk.folder)
    done = reading.read(found, Metrics)
    run = found.parent / "runs" / done.key
    assert (done.status, done.steps) == ("done", 3)
    assert [event.step for event in reading.read_events(RunFolder(run))] == [1, 2, 3]
    assert checksums.sha256(run / "student.safetensors") == done.student_sha256
