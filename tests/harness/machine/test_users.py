"""Users without a name or a home, and files that a group shares."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from harness.commands import doctor
from harness.machine import users
from harness.store import atomic
from tests.users import User, require

NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")


@pytest.fixture
def nameless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A user id without a name and a home that is not there."""
    for name in (*NAMES, "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/dev/null/home")  # where not even root makes a folder
    monkeypatch.setattr(users.os, "getuid", lambda: 2**31 - 5)


@pytest.mark.usefixtures("nameless")
def test_doctor_names_what_snakemake_will_ask_for() -> None:
    name, cache = doctor.user()
    assert (name.ok, name.needed, name.fix) == (False, False, "export USER=dkd")
    assert name.found == f"user id {2**31 - 5} has no name: snakemake does not start"
    assert "/dev/null/home/.cache cannot be made" in cache.found
    assert cache.fix.startswith("export XDG_CACHE_HOME=/")


@pytest.mark.usefixtures("nameless")
@pytest.mark.parametrize("name", NAMES)
def test_its_advice_is_enough(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(name, "dkd")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "not/there/yet"))
    assert list(doctor.user()) == []


@pytest.mark.usefixtures("nameless")
def test_no_home_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `~` then stands for would be a folder of that name."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(users.os.path, "expanduser", lambda path: path)
    _, cache = doctor.user()
    assert "cannot be made" in cache.found


def test_users_with_name_and_home_hear_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USER", "somebody")
    assert list(doctor.user()) == []


IN_TURN = """
import sys
from harness import cli
for command in sys.argv[1:]:
    sys.argv = ["dkd", *command.split()]
    try:
        cli.main()
    except SystemExit as ended:
        print("status", command.split()[0], ended.code or 0)
"""


@pytest.mark.parametrize("home", [{}, {"HOME": "/proc/nonexistent"}], ids=str)
def test_a_nameless_user_needs_nothing_of_it_for_dkd(home: dict[str, str], tmp_path: Path) -> None:
    require()
    os.chown(tmp_path, 12345, 12345)
    results = tmp_path / "results"
    results.mkdir()
    os.chown(results, 12345, 12345)
    commands = [f"{name} --results {results}" for name in ("list", "doctor", "sync")]
    commands += [f"report --results {results} --out {tmp_path / 'out'}"]
    done = User(12345, 12345, environment=home).run(sys.executable, "-c", IN_TURN, *commands)
    assert done.returncode == 0, done.stdout
    statuses = dict(line.split()[1:] for line in done.stdout.splitlines() if line.startswith("status "))
    assert statuses.pop("report") in "02"
    assert statuses == {"list": "0", "doctor": "0", "sync": "0"}, done.stdout
    assert "export USER=dkd" in done.stdout
    assert "RuntimeError" not in done.stdout


MODES = """
import sys
from pathlib import Path
from harness.machine import locks
from harness.store import atomic
from harness.store.records import Event
folder = Path(sys.argv[1])
atomic.write_bytes(folder / "bytes/file", b"x")
atomic.write_with(folder / "private/file", lambda path: (path.touch(), path.chmod(0o600)))
atomic.append_text(folder / "log", "x")
atomic.append_events(folder / "events", [])
with locks.lock(folder / "lock"):
    pass
"""


@pytest.mark.parametrize(
    ("umask", "file", "folder"), [(0o002, 0o664, 0o775), (0o022, 0o644, 0o755), (0o077, 0o600, 0o700)]
)
def test_umask_decides_who_may_write(tmp_path: Path, umask: int, file: int, folder: int) -> None:
    require()
    os.chown(tmp_path, 12345, 12345)
    done = User(12345, 12345, umask=umask).run(sys.executable, "-c", MODES, tmp_path)
    assert done.returncode == 0, done.stdout
    found = {path.relative_to(tmp_path).as_posix(): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert found == {
        **dict.fromkeys(("bytes", "private"), folder),
        **dict.fromkeys(("bytes/file", "private/file", "log", "events", "lock"), file),
    }


def test_what_a_folder_grants_beyond_umask_stays(tmp_path: Path) -> None:
    """Access lists of a folder give more than umask does; writing must not take it away."""
    atomic.write_with(tmp_path / "file", lambda path: (path.touch(), path.chmod(0o666)))
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666
