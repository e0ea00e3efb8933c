"""`dkd ui`: the pages are there before their links are shown, and nothing is left behind."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest

from harness.tracking import serve
from tests import factory
from tests.harness.conftest import Command
from tests.harness.tracking.test_servers import free_port
from tests.slurm.cluster import until


@pytest.fixture(autouse=True)
def _local(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def test_links_come_last_and_the_server_ends_with_the_command(tmp_path: Path) -> None:
    factory.write(tmp_path, factory.metrics())
    port = free_port()
    command = [sys.executable, "-m", "harness", "ui", "--port", str(port), "--results", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8")
    try:
        assert process.stdout is not None
        lines = []
        while (line := process.stdout.readline()) and "Ctrl-C" not in line:
            lines.append(line.rstrip())
        until(lambda: serve.answers(port), "the server answers")
        assert lines[0] == "MLflow: 1 run created, 0 updated, 0 unchanged", "what is new is written first"
        assert lines[-4] == "toy: 10 % of the data"
        assert lines[-3].startswith(f"  http://127.0.0.1:{port}/#/experiments/")
        assert lines[-3].endswith("viewStateShareKey=dkd-scale-10")
        assert lines[-2] == "toy: every seed"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
        until(lambda: not serve.answers(port), "the server has ended")
    finally:
        process.kill()
        process.wait()


def test_a_port_that_is_taken_is_told_before_anything_is_written(tmp_path: Path, dkd: Command) -> None:
    factory.write(tmp_path, factory.metrics())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, errors = dkd("ui", "--port", port, "--results", tmp_path)
    assert code == 2
    assert f"port {port} on 127.0.0.1 cannot be had: Address already in use" in errors
    assert f"dkd ui --port {port + 1}" in errors
    assert not (tmp_path / "mlflow.db").exists()


def test_a_server_of_ones_own_has_its_own_pages(tmp_path: Path, dkd: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://elsewhere:5000")
    code, _, errors = dkd("ui", "--results", tmp_path)
    assert (code, "open http://elsewhere:5000" in errors) == (2, True)


def test_a_browser_opens_where_somebody_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    for screen, terminal in (("", True), (":0", False), (":0", True)):
        monkeypatch.setenv("DISPLAY", screen)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.setattr(sys.stdout, "isatty", lambda terminal=terminal: terminal)
        serve.show(f"{screen}{terminal}")
    assert opened == [":0True"]
