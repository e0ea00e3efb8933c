"""Linux counts in KiB, macOS in bytes."""

from __future__ import annotations

import resource
import sys
from types import SimpleNamespace

import pytest

from harness.machine import memory


@pytest.mark.parametrize(("system", "expected"), [("linux", 3 * 2**20), ("darwin", 3 * 2**10)])
def test_bytes_on_every_system(monkeypatch: pytest.MonkeyPatch, system: str, expected: int) -> None:
    monkeypatch.setattr(memory.sys, "platform", system)
    assert memory.peak(SimpleNamespace(ru_maxrss=3 * 2**10)) == expected  # type: ignore[arg-type]


def test_of_this_process() -> None:
    before = memory.peak()
    assert before > 2**20
    kept = bytearray(before + 2**26)
    assert memory.peak() >= len(kept)
    assert sys.platform == "darwin" or memory.peak() == 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
