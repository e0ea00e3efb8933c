"""The commit is that of this checkout, whoever owns it, and never of another one around it; a processor has a name."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.machine import facts
from tests.users import User, reachable, require

MACHINE = platform.processor() or platform.machine()
SAY = "from harness.machine import facts; print(*facts.commit(), facts.resolve('HEAD'))"


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, encoding="utf-8").stdout.strip()


@pytest.fixture
def clone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout that `facts` takes for the bench's own."""
    if not shutil.which("git"):
        pytest.skip("there is no git here")
    with reachable() as place:
        folder = place / "a clone"
        (folder / "harness").mkdir(parents=True)
        (folder / "file").write_text("x\n", encoding="utf-8")
        git(folder, "init", "--quiet")
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "--message", "first")
        monkeypatch.setattr(facts, "ROOT", folder)
        facts.commit.cache_clear()
        yield folder
        facts.commit.cache_clear()


def test_commit_and_changes(clone: Path) -> None:
    assert facts.commit() == (git(clone, "rev-parse", "HEAD"), False)
    facts.commit.cache_clear()
    (clone / "file").write_text("y\n", encoding="utf-8")
    assert facts.commit() == (git(clone, "rev-parse", "HEAD"), True)


def test_a_status_that_cannot_be_told_is_not_clean(clone: Path) -> None:
    (clone / ".git/index").write_bytes(b"damaged")
    assert facts.commit() == (git(clone, "rev-parse", "HEAD"), None)


def test_what_a_file_held_at_a_commit(clone: Path) -> None:
    first = git(clone, "rev-parse", "HEAD")
    (clone / "file").write_text("y\n", encoding="utf-8")
    git(clone, "commit", "--quiet", "--all", "--message", "second")
    assert facts.committed(first, "file") == "x"
    assert facts.committed(git(clone, "rev-parse", "HEAD"), "file") == "y"
    for commit, file in ((first, "other"), ("0" * 40, "file"), ("HEAD", "file"), ("--output=x", "file")):
        assert facts.committed(commit, file) is None


@pytest.mark.parametrize("name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"])
def test_variables_of_another_repository_do_not_count(clone: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As git sets them for its hooks."""
    head = git(clone, "rev-parse", "HEAD")
    monkeypatch.setenv(name, "/nowhere")
    assert facts.commit() == (head, False)


def test_a_checkout_around_it_is_not_meant(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bench installed into an environment that lies within somebody's project."""
    (clone / "venv/lib").mkdir(parents=True)
    monkeypatch.setattr(facts, "ROOT", clone / "venv/lib")
    assert facts.commit() == (None, None)


def test_through_a_link(clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "link").symlink_to(clone)
    monkeypatch.setattr(facts, "ROOT", tmp_path / "link")
    assert facts.commit() == (git(clone, "rev-parse", "HEAD"), False)


def test_a_clone_of_another_user(clone: Path) -> None:
    require()
    head = git(clone, "rev-parse", "HEAD")
    somebody = User(12345, 12345, environment={"HOME": "/proc/nonexistent"})
    refused = somebody.run("git", "rev-parse", "HEAD", cwd=clone)
    if not refused.returncode:
        pytest.skip("git trusts this folder whoever asks")
    command = f"import harness.machine.facts as f, pathlib; f.ROOT = pathlib.Path({str(clone)!r}); {SAY}"
    assert somebody.run(sys.executable, "-c", command).stdout.split() == [head, "False", head]


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("model name\t: AMD EPYC\ncpu family\t: 25\nmodel\t\t: 17\n", "AMD EPYC (family 25, model 17)"),
        (
            "cpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Intel Xeon Processor (Skylake)\n",
            "Intel Xeon Processor (Skylake) (family 6, model 85)",
        ),
        (
            "cpu family\t: 6\nmodel name\t: Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz\n",
            "Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz",
        ),
        ("CPU implementer\t: 0x41\nCPU part\t: 0xd40\n", f"{MACHINE} (implementer 0x41, part 0xd40)"),
        ("model name\t: ARMv8\n\nmodel name\t: of the second core\n", "ARMv8"),
    ],
)
def test_a_processor_whose_name_is_hidden_is_known_by_its_numbers(told: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(told, encoding="utf-8")
    assert facts.cpu_name(tmp_path / "cpuinfo") == name


def test_a_processor_that_tells_nothing_has_a_name(tmp_path: Path) -> None:
    assert facts.cpu_name(tmp_path / "missing")
