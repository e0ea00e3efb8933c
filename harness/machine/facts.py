"""What a number depends on besides its key: commit, versions, host, processor."""

from __future__ import annotations

import functools
import importlib.metadata
import os
import platform
import re
import socket
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from harness import ROOT

_PACKAGES = ("torch", "torchvision", "numpy", "pydantic", "safetensors")


def now() -> str:
    """UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Versions of Python and of what a run needs; packages that are not there are left out."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@functools.cache
def commit() -> tuple[str | None, bool | None]:
    """The commit of this checkout, and whether tracked files differ from it; None, None outside a git checkout."""
    head = _git("rev-parse", "HEAD")
    if head is None:
        return None, None
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return head, None if changed is None else bool(changed)


def resolve(revision: str) -> str | None:
    """The commit of this checkout that a branch, tag or shortened hash means; None if there is none."""
    return _git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")


def committed(commit: str, file: str) -> str | None:
    """What a file of this repository held at a commit, by its full hash; None if either is not known here."""
    return _git("show", f"{commit}:{file}") if re.fullmatch("[0-9a-f]{40}", commit) else None


def host() -> str:
    """Name of this machine."""
    return socket.gethostname()


def cpu_name(file: Path = Path("/proc/cpuinfo")) -> str:
    """Model of this machine's processor, by its numbers where a hypervisor hides its name."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    told: dict[str, str] = {}
    for field, colon, value in (line.partition(":") for line in lines):
        if colon:
            told.setdefault(field.strip(), value.strip())  # of the first core
    name = told.get("model name") or platform.processor() or platform.machine()
    if "CPU part" in told and "model name" not in told:
        return f"{name} (implementer {told.get('CPU implementer')}, part {told['CPU part']})"
    hidden = "cpu family" in told and not any(letter.isdigit() for letter in name)
    return f"{name} (family {told['cpu family']}, model {told.get('model')})" if hidden else name


def _git(*arguments: str) -> str | None:
    """What git says of this checkout, and of no other that it may lie in; None if it says nothing."""
    # The owner may be another user: git then asks whether the folder is trusted, whose code is running already.
    command = ["git", "--no-optional-locks", "-c", f"safe.directory={ROOT.resolve()}", *arguments]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment["GIT_CEILING_DIRECTORIES"] = str(ROOT.resolve().parent)
    try:
        done = subprocess.run(
            command,
            cwd=ROOT.resolve(),
            env=environment,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
