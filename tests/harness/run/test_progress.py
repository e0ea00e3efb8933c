"""The bar on a terminal: there while a cell runs, gone afterwards."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

from tests import factory
from tests.harness.run.test_runner import BODY, STUDY


def test_a_terminal_shows_a_bar_and_keeps_the_result_alone(tmp_path: Path) -> None:
    factory.untrained_teacher(tmp_path)
    slow = "import time; time.sleep(0.3); return super().distill_step()"
    (tmp_path / "m.py").write_text(BODY.format(step=slow), encoding="utf-8")
    (tmp_path / "t.yaml").write_text(STUDY.format(method=tmp_path / "m.py", device="cpu", batch=8), encoding="utf-8")
    command = [sys.executable, "-m", "harness", "run", "t/*", "--configfile", str(tmp_path / "t.yaml")]
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "60"}
    process = subprocess.Popen(
        [*command, "--results", str(tmp_path)], stdout=theirs, stderr=theirs, stdin=theirs, env=environment
    )
    os.close(theirs)
    shown = _read(ours)
    assert process.wait() == 0, shown
    assert "epoch 1/3" in shown
    assert "\x1b[2K" in shown, "nothing was drawn again"
    (log,) = tmp_path.glob("t/**/attempts.log")
    asked, done = log.read_text(encoding="utf-8").splitlines()
    assert "the teacher is asked " in asked
    assert "done: " in done
    for line in (asked, done):
        assert line.split("seed-0: ")[1] in shown


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
