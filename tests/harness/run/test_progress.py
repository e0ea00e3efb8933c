"""The bar on a terminal: there while a cell runs, within the terminal, and gone afterwards."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from harness import terminal
from tests import factory
from tests.harness.run.test_runner import BODY, STUDY

OVER = "\r\x1b[2K"
"""What takes the last line away, so that it is drawn over."""


@pytest.mark.parametrize("columns", [80, 40])
def test_a_terminal_shows_a_bar_and_keeps_the_result_alone(tmp_path: Path, columns: int) -> None:
    shown = _run(tmp_path, COLUMNS=str(columns))
    drawn = [text for text in shown.split(OVER) if not text.endswith("\n")]
    assert any("epoch 1/3" in text for text in drawn)
    assert max(map(len, drawn)) < columns, "a line of junk would stay behind every one that is longer"
    (log,) = tmp_path.glob("t/**/attempts.log")
    asked, done = log.read_text(encoding="utf-8").splitlines()
    assert "the teacher is asked " in asked
    assert "done: " in done
    kept = [text.rstrip() for text in shown.split(OVER) if text.endswith("\n")]
    assert kept == [asked, done], "the bar is gone"


def test_a_terminal_that_cells_share_shows_whole_lines(tmp_path: Path) -> None:
    shown = _run(tmp_path, **{terminal.SHARED: "1"})
    (log,) = tmp_path.glob("t/**/attempts.log")
    *told, done = log.read_text(encoding="utf-8").splitlines()
    assert shown.splitlines() == [done]
    assert sum("epoch " in line for line in told) == 3, "the log has every epoch"


def _run(folder: Path, **environment: str) -> str:
    """All that a cell of three epochs, a third of a second each, writes to its terminal."""
    factory.untrained_teacher(folder)
    slow = "import time; time.sleep(0.3); return super().distill_step()"
    (folder / "m.py").write_text(BODY.format(step=slow), encoding="utf-8")
    (folder / "t.yaml").write_text(STUDY.format(method=folder / "m.py", device="cpu", batch=8), encoding="utf-8")
    command = [sys.executable, "-m", "harness", "run", "t/*", "--configfile", str(folder / "t.yaml")]
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*command, "--results", str(folder)],
        stdout=theirs,
        stderr=theirs,
        stdin=theirs,
        env=os.environ | {"TERM": "xterm", "PYTHONUTF8": "1"} | environment,
    )
    os.close(theirs)
    shown = _read(ours)
    assert process.wait() == 0, shown
    return shown


def _read(terminal: int) -> str:
    """All that a process writes to its terminal."""
    found = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # the other end is closed
            part = b""
        if not part:
            os.close(terminal)
            return found.decode()
        found += part
