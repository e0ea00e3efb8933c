"""Systems that the bench knows, and clones that are not mixed up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness import ROOT, start
from harness.errors import UserError
from tests.harness.conftest import Command


def clone(folder: Path) -> Path:
    """What tells a clone of the bench from any other folder."""
    for file in ("harness/cli.py", "methods/base/method.py", "workflow/config/digits.yaml"):
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    return folder


@pytest.mark.parametrize("system", ["win32", "cygwin", "freebsd14"])
def test_other_systems_are_told_first(dkd: Command, monkeypatch: pytest.MonkeyPatch, system: str) -> None:
    monkeypatch.setattr(start.sys, "platform", system)
    code, output, errors = dkd("list")
    assert (code, output) == (2, "")
    assert errors.startswith(f"error: dkd-bench runs on Linux and macOS, not on {system}")


@pytest.mark.parametrize("part", [".", "workflow/config"])
@pytest.mark.parametrize("command", ["list", "doctor", "run"])
def test_the_code_of_another_clone_is_not_run(
    dkd: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str, command: str
) -> None:
    other = clone(tmp_path / "other one")
    monkeypatch.chdir(other / part)
    code, _, errors = dkd(command, "a b")
    assert code == 2
    assert str(other) in errors
    assert str(ROOT) in errors
    assert f"type: cd '{other}' && python -m harness {command} 'a b'" in errors


@pytest.mark.parametrize("part", [".", "workflow", "tests/harness"])
def test_its_own_clone_is_fine(monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    monkeypatch.chdir(ROOT / part)
    start.check()


def test_so_is_a_folder_that_is_none_and_a_link_to_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    start.check()
    (tmp_path / "link").symlink_to(ROOT)
    assert start._other_clone(tmp_path / "link/tests") is None


def test_a_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(UserError, match="no longer there"):
        start.check()


def test_processes_that_are_started_elsewhere_run_the_same_code(tmp_path: Path) -> None:
    (tmp_path / "harness.py").write_text("raise SystemExit('somebody else')", encoding="utf-8")
    command = [sys.executable, "-c", "import harness; print(harness.ROOT)"]
    done = subprocess.run(
        command, cwd=tmp_path, env=start.environment(), capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.strip() == str(ROOT)
