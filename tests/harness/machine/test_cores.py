"""How many cores are ours, with the files of control groups laid out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.machine import cores

OLD = "sys/fs/cgroup/cpu/job/cpu.cfs_"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/job/step", {"sys/fs/cgroup/job/step/cpu.max": "200000 100000"}, 2),
        (
            "0::/job/step",
            {"sys/fs/cgroup/job/cpu.max": "350000 100000", "sys/fs/cgroup/job/step/cpu.max": "max 100000"},
            3,
        ),
        ("0::/", {"sys/fs/cgroup/cpu.max": "50000 100000"}, 1),
        ("4:cpu,cpuacct:/job", {f"{OLD}quota_us": "400000", f"{OLD}period_us": "100000"}, 4),
        ("4:cpu,cpuacct:/job", {f"{OLD}quota_us": "-1", f"{OLD}period_us": "100000"}, 8),
        ("4:memory:/job", {f"{OLD}quota_us": "400000", f"{OLD}period_us": "100000"}, 8),
        ("0::/job", {"sys/fs/cgroup/job/cpu.max": "9900000 100000"}, 8),
        ("0::/job", {"sys/fs/cgroup/job/cpu.max": "max"}, 8),
        (None, {}, 8),
    ],
)
def test_a_quota_of_a_job_or_a_container_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, groups: str | None, files: dict[str, str], expected: int
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(8)), raising=False)
    said = files if groups is None else {**files, "proc/self/cgroup": groups}
    for name, text in said.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n", encoding="utf-8")
    assert cores.available(tmp_path) == expected


def test_processes_share_work_only_where_the_system_tells_which_cores_are_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "available", lambda: 8)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(8)), raising=False)
    assert cores.for_processes() == 8
    monkeypatch.delattr("os.sched_getaffinity")
    assert cores.for_processes() == 1
