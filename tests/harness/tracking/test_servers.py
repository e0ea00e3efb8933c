"""An MLflow server that wants a user: asked with MLflow's own credentials, and no password is kept or printed."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.commands import doctor
from harness.tracking import health, serve
from tests import factory
from tests.harness.conftest import Command
from tests.harness.tracking.test_sync import content
from tests.slurm.cluster import until

USER, PASSWORD = "alice", "".join(["s3", "cret"])
WANTED = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Door(BaseHTTPRequestHandler):
    """Passes on what carries the right user and password, and refuses all else."""

    protocol_version = "HTTP/1.1"
    behind = 0
    """Port of the server behind the door."""

    def pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization") != WANTED:
            self.answer(401, b"", {"WWW-Authenticate": 'Basic realm="mlflow"'})
            return
        connection = http.client.HTTPConnection("127.0.0.1", self.behind, timeout=60)
        kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
        connection.request(self.command, self.path, body, kept)
        reply = connection.getresponse()
        self.answer(reply.status, reply.read(), {"Content-Type": reply.getheader("Content-Type") or "text/plain"})

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on  # noqa: N815

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def door() -> Iterator[tuple[str, type[Door]]]:
    """Its address, without a scheme, and where to say what is behind it."""
    handler = type("OneDoor", (Door,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}", handler
        server.shutdown()


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("USERNAME", "PASSWORD", "TOKEN", "AUTH"):
        monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", "")  # so that what a client sets is taken back
        monkeypatch.delenv(f"MLFLOW_TRACKING_{name}")
    monkeypatch.setenv("HOME", str(tmp_path))  # where MLflow looks for a file of credentials
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")


@pytest.mark.parametrize("given", ["", f"eve:{PASSWORD}@"])
def test_a_server_that_refuses_us(
    door: tuple[str, type[Door]], given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dkd: Command
) -> None:
    factory.write(tmp_path, factory.metrics())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{given}{door[0]}")
    found = health.examine(tmp_path)
    code, _, errors = dkd("sync", "--results", tmp_path)
    assert (found.ok, code) == (False, 2)
    for said in (found.found + found.fix, errors):
        assert f"MLflow store http://{door[0]} cannot be used" in said
        assert "401" in said
        assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in said
        assert PASSWORD not in said
        assert "delete" not in said


def test_a_server_that_knows_us(
    door: tuple[str, type[Door]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dkd: Command
) -> None:
    results, served, port = tmp_path / "results", tmp_path / "server", free_port()
    factory.write(results, factory.metrics())
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    command = serve.server_command(served, port)
    assert not [part for part in command if "sqlite" in part], "others see the options of a process"
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    door[1].behind = port
    try:
        until(lambda: serve.answers(port), "the server answers")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{USER}:{PASSWORD}@{door[0]}")
        told = dkd("sync", "--results", results)
        assert told == (0, "MLflow: 1 run created, 0 updated, 0 unchanged\n", ""), "MLflow prints addresses itself"
        assert doctor.store(results).found == f"http://{door[0]}: a server that lets us in"
        kept = [path.read_text(encoding="utf-8") for path in results.rglob("mlflow.json")]
        assert [f"http://{door[0]}" in text for text in kept] == [True]
        assert not [text for text in kept if PASSWORD in text]
        assert PASSWORD not in "".join(dkd("trace", "ssd-kd", "--results", results)[1:])
        assert PASSWORD not in dkd("ui", "--results", results)[2]
        for name in ("USERNAME", "PASSWORD"):
            monkeypatch.delenv(f"MLFLOW_TRACKING_{name}")
        # The same server, by MLflow's own variables: it is the same store, and nothing is to do.
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{door[0]}")
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", USER)
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", PASSWORD)
        assert doctor.store(results).ok
        assert dkd("sync", "--results", results)[1] == "MLflow: 0 runs created, 0 updated, 1 unchanged\n"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert len(content(served)[0]) == 10 + 9


@pytest.mark.parametrize("scheme", ["postgresql", "mysql", "postgresql+psycopg"])
def test_a_database_that_is_down_is_told_at_once(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dkd: Command
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{free_port()}/mlflow")
    code, _, errors = dkd("sync", "--results", tmp_path)
    assert code == 2
    assert "Connection refused" in errors
    assert PASSWORD not in errors
    assert not health.examine(tmp_path).ok


@pytest.mark.parametrize(
    ("scheme", "package"), [("postgresql", "psycopg2-binary"), ("mysql", "mysqlclient"), ("mysql+pymysql", "pymysql")]
)
def test_a_database_whose_driver_is_missing(
    scheme: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dkd: Command
) -> None:
    factory.write(tmp_path, factory.metrics())
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{scheme}://{USER}:{PASSWORD}@127.0.0.1:{port}/mlflow")
        for module in ("psycopg2", "MySQLdb", "pymysql"):
            monkeypatch.setitem(sys.modules, module, None)
        code, _, errors = dkd("sync", "--results", tmp_path)
        found = health.examine(tmp_path)
    assert (code, found.ok) == (2, False)
    assert f"type: pip install {package}" in errors
    assert f"type: pip install {package}" == found.fix
    assert PASSWORD not in errors + found.found
