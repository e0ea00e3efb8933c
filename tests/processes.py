"""`python -m MODULE` in a process of its own that need not import anything: a fork of one that has done so.

A new Python takes seconds to import Snakemake, MLflow or PyTorch. A test that wants a process for its environment, its
limits or its death, and not for its first second, gets one here at once. What is imported is as new as in a new
Python: the process that is forked does nothing else.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import runpy
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

STREAMS = ("output", "errors")

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.preloaded"])


class Process:
    """As `subprocess.Popen`: a session of its own, and nothing to read from."""

    def __init__(
        self,
        *command: object,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        largest_file: int | None = None,
    ) -> None:
        """``environment`` in place of this one's; no file that it writes grows beyond ``largest_file`` bytes."""
        self.args = [str(word) for word in command]
        self._said = tempfile.TemporaryDirectory()
        given = dict(os.environ if environment is None else environment)
        work = (self.args, given, folder or Path.cwd(), Path(self._said.name), largest_file)
        self._process: Any = _forks.Process(target=_work, args=work)
        self._process.start()
        self.pid: int = self._process.pid

    def wait(self, timeout: float = 300.0) -> int:
        """Its exit status, or minus the signal that ended it. Raises subprocess.TimeoutExpired."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return int(self._process.exitcode)

    def kill(self) -> None:
        """SIGKILL to it and to all in its session, as when a machine goes down."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.wait()

    def done(self) -> subprocess.CompletedProcess[str]:
        """How it ended, and what it said."""
        status = self.wait()
        texts = [Path(self._said.name, name).read_text(encoding="utf-8") for name in STREAMS]
        return subprocess.CompletedProcess(self.args, status, *texts)


def run(*command: object, check: bool = False, **place: Any) -> subprocess.CompletedProcess[str]:
    """Run it to its end; with ``check`` that must be a good one."""
    done = Process(*command, **place).done()
    assert not (check and done.returncode), done.stdout + done.stderr
    return done


def _work(command: list[str], environment: dict[str, str], folder: Path, said: Path, largest: int | None) -> None:
    """What the forked process does."""
    import harness

    harness.STARTED = time.monotonic()
    os.setsid()
    for number, name in enumerate(STREAMS, start=1):
        os.dup2(os.open(said / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT), number)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    if largest is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
