"""Linux counts in KiB, macOS in bytes; jobs and containers have limits of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness import ROOT
from harness.machine import memory


@pytest.mark.parametrize(("system", "expected"), [("linux", 3 * 2**20), ("darwin", 3 * 2**10)])
def test_bytes_on_every_system(monkeypatch: pytest.MonkeyPatch, system: str, expected: int) -> None:
    monkeypatch.setattr(memory.sys, "platform", system)
    assert memory.peak(SimpleNamespace(ru_maxrss=3 * 2**10)) == expected  # type: ignore[arg-type]


GROWN = """
import resource, sys
from harness import ROOT
from harness.machine import memory
before = memory.peak()
assert before > 2**20
kept = bytearray(before + 2**26)
assert memory.peak() >= len(kept)
assert sys.platform == "darwin" or memory.peak() == 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
"""


def test_of_a_process() -> None:
    """A small one: it takes twice the memory that it had."""
    subprocess.run([sys.executable, "-c", GROWN], cwd=ROOT, check=True)


FREED = """
import ctypes, resource
from harness.machine import memory
def touch() -> int:
    before, freed = resource.getrusage(resource.RUSAGE_SELF).ru_minflt, bytearray(2**26)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
pages = 2**26 // resource.getpagesize()
if hasattr(ctypes.CDLL(None), "mallopt"):
    print([touch() for _ in range(4)][-1] < pages / 100, end=" ")
    memory.keep_freed()
    print([touch() for _ in range(4)][-1] < pages / 100)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's allocator")
def test_what_is_freed_is_used_again_without_a_page_fault() -> None:
    done = subprocess.run([sys.executable, "-c", FREED], cwd=ROOT, check=True, capture_output=True, encoding="ascii")
    assert done.stdout.strip() in ("False True", "")  # nothing: another C library


MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
UNLIMITED = {"sys/fs/cgroup/job/memory.max": "max", "sys/fs/cgroup/memory/job/memory.limit_in_bytes": f"{2**63 - 4096}"}


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/job/step", {"sys/fs/cgroup/job/step/memory.max": "5000"}, 5000),
        ("0::/job/step", {"sys/fs/cgroup/job/step/memory.max": "max", "sys/fs/cgroup/job/memory.max": "7000"}, 7000),
        ("0::/", {"sys/fs/cgroup/memory.max": "9000"}, 9000),
        ("3:cpu:/job\n4:cpuset,memory:/job", {"sys/fs/cgroup/memory/job/memory.limit_in_bytes": "6000"}, 6000),
        ("3:cpu:/job", {"sys/fs/cgroup/memory/job/memory.limit_in_bytes": "6000"}, MACHINE),
        ("0::/job\n4:memory:/job", UNLIMITED, MACHINE),
        ("0::/gone", {}, MACHINE),
        (None, {}, MACHINE),
    ],
)
def test_a_limit_of_a_job_or_a_container_counts(
    tmp_path: Path, groups: str | None, files: dict[str, str], expected: int
) -> None:
    said = files if groups is None else {**files, "proc/self/cgroup": groups}
    for name, text in said.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{text}\n", encoding="utf-8")
    assert memory.available(tmp_path) == expected
