"""Files outside the bench: each with the modules of its own folder, read again when they change."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from methods.base.outside import BrokenFile, imported, load


def write(folder: Path, **files: str) -> Path:
    """Files, by their paths without .py; returns the path of mine.py."""
    for name, text in files.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder / "mine.py"


@pytest.mark.parametrize(
    "statement",
    [
        "import helper; value = helper.VALUE",
        "import helper as h; value = h.VALUE",
        "from helper import VALUE as value",
        "from . import helper; value = helper.VALUE",
        "from .helper import VALUE as value",
        "import helper.deep; value = helper.VALUE",
        "import helper.deep as deep; value = deep.VALUE",
        "from helper import deep; value = deep.VALUE",
        "from helper.deep import *; value = VALUE",
        "def later():\n    from helper import VALUE\n    return VALUE\nvalue = property(later)",
    ],
)
def test_each_file_sees_the_modules_of_its_own_folder(tmp_path: Path, statement: str) -> None:
    for value in ("one", "two"):
        (tmp_path / value / "helper").mkdir(parents=True)
        (tmp_path / value / "helper/__init__.py").write_text(f"VALUE = '{value}'", encoding="utf-8")
        (tmp_path / value / "helper/deep.py").write_text("from helper import VALUE", encoding="utf-8")
    before = list(sys.path)
    modules = {value: load(write(tmp_path / value, mine=statement)) for value in ("one", "two")}
    found = {value: module.value for value, module in modules.items()}
    assert {name: value.fget() if isinstance(value, property) else value for name, value in found.items()} == {
        "one": "one",
        "two": "two",
    }
    assert "helper" not in sys.modules
    assert sys.path == before


def test_the_bench_and_libraries_are_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "methods").mkdir()
    file = write(
        tmp_path,
        methods="raise SystemExit",
        harness="raise SystemExit",
        json="VALUE = 1",  # what the folder has goes before libraries, as for any script
        mine="import methods, json, os.path\nfrom harness import ROOT\nfound = methods.FOLDER, json.VALUE, os.path.sep",
    )
    assert load(file).found[1:] == (1, "/")
    import json

    assert json.dumps(1) == "1"


@pytest.mark.parametrize("changed", ["mine", "helper"])
def test_a_file_is_run_once_until_it_or_a_module_beside_it_changes(tmp_path: Path, changed: str) -> None:
    """A change of one letter within the same second counts too, which compiled files do not notice."""
    file = write(tmp_path, mine="from helper import VALUE\nMINE = 1", helper="VALUE = 1")
    first = load(file)
    assert load(file) is first
    write(
        tmp_path, **{"mine": {"mine": "from helper import VALUE\nMINE = 2"}, "helper": {"helper": "VALUE = 2"}}[changed]
    )
    second = load(file)
    found = [second.MINE, second.VALUE]
    assert found == {"mine": [2, 1], "helper": [1, 2]}[changed]
    assert (first.MINE, first.VALUE) == (1, 1)
    assert not list(tmp_path.rglob("*.pyc"))


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({}, ["no such file"]),
        ({"mine": "def"}, ["cannot be imported: SyntaxError"]),
        ({"mine": "import nowhere_at_all"}, ["No module named 'nowhere_at_all'; it is neither in ", " nor installed"]),
        ({"mine": "import helper", "helper": "import elsewhere_too"}, ["No module named 'elsewhere_too'; "]),
        ({"mine": "from helper.more import a", "helper": ""}, ["No module named 'helper.more'", "not a package"]),
        ({"mine": "from helper import a", "helper": ""}, ["cannot import name 'a' from 'helper'"]),
        ({"mine": "from .helper import a"}, ["No module named 'helper'; it is neither"]),
        ({"mine": "from ..helper import a"}, ["ImportError: attempted relative import beyond top-level package"]),
        ({"mine": "import part", "part/other": ""}, ["No module named 'part'"]),  # a folder without an __init__.py
        ({"mine": "raise SystemExit(0)"}, ["cannot be imported: SystemExit: 0"]),
        ({"mine": "1 / 0"}, ["ZeroDivisionError: division by zero"]),
        ({"mine": "\0"}, ["cannot be imported: "]),
        ({"mine/folder": ""}, ["no such file"]),
        ({"mine.py/folder": ""}, ["not a regular file"]),
    ],
)
def test_what_keeps_a_file_from_being_imported_is_told(tmp_path: Path, files: dict[str, str], words: list[str]) -> None:
    file = write(tmp_path, **files)
    with pytest.raises(BrokenFile) as error:
        load(file)
    assert str(error.value).startswith(f"{file}: ")
    assert all(word in str(error.value) for word in words), str(error.value)
    assert "outside" not in str(error.value)


def test_which_files_an_import_runs_is_told_without_running_any(tmp_path: Path) -> None:
    names = ("helper", "lib/__init__", "lib/losses", "bare/losses", "methods", "lib/deep/__init__")
    write(tmp_path, **dict.fromkeys(names, "raise SystemExit"))
    found = {
        name: [path.relative_to(tmp_path).as_posix() for path in imported(tmp_path, name)]
        for name in ("helper", "lib", "lib.losses", "lib.losses.kl", "lib.deep.nowhere", "bare.losses", "methods", "os")
    }
    assert found == {
        "helper": ["helper.py"],
        "lib": ["lib/__init__.py"],
        "lib.losses": ["lib/__init__.py", "lib/losses.py"],
        "lib.losses.kl": ["lib/__init__.py", "lib/losses.py"],
        "lib.deep.nowhere": ["lib/__init__.py", "lib/deep/__init__.py"],
        "bare.losses": [],
        "methods": [],
        "os": [],
    }
