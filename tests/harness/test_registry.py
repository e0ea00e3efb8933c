"""What the files of a folder register, read without importing them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.registry import registered


def write(folder: Path, **files: str) -> Path:
    for name, content in files.items():
        (folder / f"{name}.py").write_text(content, encoding="utf-8")
    return folder


def test_names_are_found_with_their_files_and_nothing_is_run(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        b='raise SystemExit\nTHINGS = {"two": f, "one": g}\n',
        a='import nowhere\nTHINGS = {"three": partial(f, 1)}\nOTHERS = {"four": f}\n',
        c='def f():\n    THINGS = {"five": f}\n',
    )
    (folder / "notes.txt").write_text("THINGS = {'six': f}", encoding="utf-8")
    assert registered(folder, "THINGS") == {
        "three": folder / "a.py",
        "two": folder / "b.py",
        "one": folder / "b.py",
    }
    assert registered(folder, "NOTHING") == {}


def test_an_annotated_dictionary_registers_too(tmp_path: Path) -> None:
    folder = write(tmp_path, a='THINGS: dict[str, object] = {"one": f}\n')
    assert list(registered(folder, "THINGS")) == ["one"]


def test_a_name_that_two_files_register_is_refused(tmp_path: Path) -> None:
    folder = write(tmp_path, a='THINGS = {"one": f}\n', b='THINGS = {"two": f, "one": g}\n')
    with pytest.raises(UserError, match=r"one stands in THINGS of a\.py and of b\.py"):
        registered(folder, "THINGS")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("THINGS = dict(one=f)", "THINGS must be written out as a dictionary"),
        ("THINGS: dict = {**OTHERS}", "every name must be written out as a text"),
        ("NAME = 'one'\nTHINGS = {NAME: f}", "every name must be written out as a text"),
        ("THINGS = {1: f}", "every name must be written out as a text"),
    ],
)
def test_names_that_cannot_be_read_are_refused(tmp_path: Path, content: str, problem: str) -> None:
    """Without a word they would be unknown."""
    with pytest.raises(UserError, match=rf"a\.py: .*{problem}|a\.py: {problem}"):
        registered(write(tmp_path, a=content), "THINGS")


@pytest.mark.parametrize("module", ["harness.data", "harness.networks"])
def test_lists_of_datasets_and_networks_do_not_need_torch(module: str) -> None:
    code = f"import sys, {module} as m; assert m.names(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
