"""`dkd ui`: MLflow's pages on this machine, open at the comparison."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from harness.errors import UserError
from harness.store.layout import Results
from harness.tracking import pages
from harness.tracking.address import VARIABLE, address, is_server, public
from harness.tracking.experiment import is_ours
from harness.tracking.store import open_store

HOST = "127.0.0.1"
PATIENCE = 0.3
"""Seconds between two looks at whether the server answers."""


def check(results: Path, port: int) -> None:
    """Raise UserError where nothing can be served: the port is taken, or a server of its own has the pages."""
    uri = address(results)
    if is_server(uri):
        raise UserError(f"{VARIABLE} is a server: open {public(uri)}")
    try:
        socket.create_server((HOST, port)).close()
    except OSError as error:
        reason = f"port {port} on {HOST} cannot be had: {error.strerror}"
        raise UserError(f"{reason}\n  another one: dkd ui --port {port % 65535 + 1}") from None


def server_command(results: Path, port: int) -> list[str]:
    """The command that serves the store's pages on this machine only. Initialises the store."""
    with open_store(results):
        pass
    # Not an option: others see those, and it may hold a password.
    os.environ["MLFLOW_BACKEND_STORE_URI"] = address(results)
    place = ["--host", HOST, "--port", str(port), "--workers", "1"]
    quiet = ["--uvicorn-opts", "--log-level warning"]  # else a line for every request, after the links
    artifacts = ["--artifacts-destination", str(Results(results).artifacts.resolve())]
    return [sys.executable, "-m", "mlflow", "server", *place, *quiet, *artifacts]


def links(results: Path, port: int) -> list[tuple[str, str]]:
    """For every study what can be seen of it, and the address: the comparison at its largest scale comes first."""
    with open_store(results) as client:
        studies = [found for found in client.search_experiments() if is_ours(found)]
    return [
        (f"{study.name}: {what}", pages.link(f"http://{HOST}:{port}", study.experiment_id, view))
        for study in studies
        for view, what in pages.saved(study.tags).items()
    ]


@contextmanager
def served(results: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The server, once it answers; it ends with this process, unless that is killed outright.

    Raises UserError where the server ends before it answers.
    """
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit(0))
    # A session of its own: MLflow starts further processes, and does not end them when it is told to end itself.
    server = subprocess.Popen(server_command(results, port), start_new_session=True)
    try:
        while not answers(port):
            if server.poll() is not None:
                raise UserError(f"MLflow's server ended with status {server.returncode} before it answered")
            time.sleep(PATIENCE)
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def answers(port: int) -> bool:
    """Whether MLflow answers there."""
    try:
        with urlopen(f"http://{HOST}:{port}/health", timeout=2) as reply:
            return bool(reply.status == 200)
    except (OSError, HTTPException):
        return False


def show(url: str) -> None:
    """Open a page where somebody sits before a screen; elsewhere a browser would take over the terminal."""
    if sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(url)
