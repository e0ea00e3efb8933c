"""One tiny grid under other hands: nameless users, two of a group, another locale, other folders."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.commands import doctor
from harness.machine import users
from tests.users import User, reachable, require
from tests.workflow.conftest import CELLS, EVERYTHING, ROOT, Bench

HALF = [cell for cell in CELLS if cell.startswith("first")]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grid whose cells are all there; to be copied, and not changed."""
    bench = Bench(tmp_path_factory.mktemp("finished"))
    assert set(bench.work()) == EVERYTHING
    return bench.folder


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Bench:
    """A copy of the finished grid, which still names the methods' files of the first: nothing of it is to be done."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder, symlinks=True)
    bench = Bench.__new__(Bench)
    bench.folder, bench.results, bench.study = folder, folder / "results", folder / "study.yaml"
    return bench


def give(folder: Path, user: User) -> None:
    """Make a folder, with all that is in it, this user's."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.uid, user.gid)


@pytest.mark.parametrize("locale", [{"LC_ALL": "C"}, {"LC_ALL": "POSIX", "LANG": "de_DE.ISO-8859-1"}], ids=str)
def test_under_another_locale_nothing_is_stale(copy: Bench, locale: dict[str, str]) -> None:
    done = copy.run("-n", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", **locale)
    assert done.returncode == 0, done.stdout
    assert "Nothing to be done" in done.stdout


def test_a_folder_that_was_moved_has_nothing_to_do(copy: Bench, tmp_path: Path) -> None:
    old, new = copy.folder, tmp_path / "elsewhere/now"
    new.parent.mkdir()
    old.rename(new)
    copy.folder, copy.results, copy.study = new, new / "results", new / "study.yaml"
    assert copy.work() == []
    assert not old.exists()


def test_from_another_folder_it_is_the_same_code(copy: Bench, tmp_path: Path) -> None:
    """Even where that folder has a package of the same name."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here/harness.py").write_text("raise SystemExit('somebody else')", encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = copy.command("-n")
    done = subprocess.run(
        command,
        cwd=tmp_path / "here",
        env=environment | {"STUB": str(copy.folder)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing to be done" in done.stdout + done.stderr


def test_a_nameless_user_follows_the_doctor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    require()
    nameless = User(54321, 54321, environment={"HOME": "/dev/null/home"})
    (tmp_path / "theirs").mkdir()
    bench = Bench(tmp_path / "theirs")
    give(bench.folder, nameless)
    command = bench.command("--until", "teacher")
    refused = User(54321, 54321, environment=nameless.environment | bench.environment).run(*command)
    assert refused.returncode, "Snakemake starts without a name: the doctor need not warn any more"
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/dev/null/home")
    monkeypatch.setattr(users.os, "getuid", lambda: nameless.uid)
    monkeypatch.chdir(bench.folder)
    advice = dict(check.fix.removeprefix("export ").split("=", 1) for check in doctor.user())
    done = User(54321, 54321, environment=nameless.environment | bench.environment | advice).run(*command)
    assert done.returncode == 0, done.stdout
    assert (bench.folder / "calls.txt").read_text(encoding="utf-8").split() == ["validate", "train-teacher"]


def test_two_users_of_one_group_share_results() -> None:
    require()
    with reachable() as place:  # Snakemake asks whether it may write, as git does
        _share(place)


def _share(place: Path) -> None:
    shared = place / "results"
    shared.mkdir()
    os.chown(shared, 5001, 5000)
    shared.chmod(0o2775)
    done: list[list[str]] = []
    for number, selection in ((1, ["methods=first"]), (2, [])):
        folder = place / f"user{number}"
        folder.mkdir()
        bench = Bench(folder)
        bench.study.write_text((place / "user1/study.yaml").read_text(encoding="utf-8"), encoding="utf-8")
        own = {"USER": f"user{number}", "HOME": str(folder), **bench.environment}
        user = User(5000 + number, 5000, umask=0o002, environment=own)
        give(folder, user)
        ran = user.run(*bench.command("--config", f"results={shared}", *selection))
        assert ran.returncode == 0, ran.stdout
        done.append((folder / "calls.txt").read_text(encoding="utf-8").split())
    assert sorted(done[0]) == sorted(["validate", "train-teacher", *HALF, "sync", "report"])
    assert sorted({*done[1]} - {"validate"}) == sorted([*(CELLS - set(HALF)), "sync", "report"])
    assert not [path for path in shared.rglob("*") if path.stat().st_mode & 0o060 != 0o060]
    assert len(list(shared.rglob("metrics.json"))) == 2 * len(CELLS)


def test_make_sets_what_a_nameless_user_lacks() -> None:
    command = ["make", "--no-print-directory", "--eval", "shown: ; @echo $$USER $$XDG_CACHE_HOME", "shown"]
    if not shutil.which("make"):
        pytest.skip("there is no make here")
    environment = {name: value for name, value in os.environ.items() if name not in ("USER", "XDG_CACHE_HOME")}
    for home, cache in (("/proc/nonexistent", f"{ROOT}/.snakemake/cache"), (str(ROOT), f"{ROOT}/.cache")):
        done = subprocess.run(
            [*command, f"VENV={sys.prefix}"],
            cwd=ROOT,
            env=environment | {"HOME": home},
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        assert done.stdout.split() == [str(os.getuid()), cache]
