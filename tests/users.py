"""Other users, played by root: a user id with a group, with or without a name and a home."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness import ROOT

MAY_READ = ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
"""They may read all, so that they reach this Python wherever it is; what they may write, their ids alone decide."""
_NAMES = ("USER", "LOGNAME", "LNAME", "USERNAME", "HOME", "XDG_CACHE_HOME", "MPLCONFIGDIR", "MLFLOW_TRACKING_URI")


@dataclass(frozen=True)
class User:
    """Somebody who starts programs. Needs root, setpriv, and the right to pass a capability on."""

    uid: int
    gid: int
    umask: int = 0o022
    environment: dict[str, str] = field(default_factory=dict)
    """Over this process's own, of which name and home are taken away."""

    def run(self, *command: object, cwd: Path = ROOT, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        """Run a program; its output and errors are one text."""
        who = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups", *MAY_READ]
        inherited = {name: value for name, value in os.environ.items() if name not in _NAMES}
        return subprocess.run(
            ["setpriv", *who, *map(str, command)],
            cwd=cwd,
            env=inherited | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            umask=self.umask,
            timeout=timeout,
            check=False,
        )

    def dkd(self, *arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
        """`dkd`, by this Python."""
        return self.run(sys.executable, "-m", "harness", *arguments, cwd=cwd)


@contextmanager
def reachable() -> Iterator[Path]:
    """A temporary folder that everybody may enter, unlike pytest's: git asks for that before it looks."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def require() -> None:
    """Skip the test where nobody can be played."""
    if os.getuid() or not shutil.which("setpriv"):
        pytest.skip("only root can play other users, with setpriv")
    if User(12345, 12345).run(sys.executable, "-c", "").returncode:
        pytest.skip("no capability can be passed on here")
