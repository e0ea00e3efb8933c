"""Paths in a configuration go from the folder of its file, whatever the current folder is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.grid.paths import beside


@pytest.mark.parametrize(
    "text", ["mine.py", "./mine.py", "deep/../mine.py", "~/studies/mine.py", "{here}/studies/mine.py"]
)
def test_a_path_goes_from_the_folder_of_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    (tmp_path / "studies/deep").mkdir(parents=True)
    (tmp_path / "studies/mine.py").touch()
    (tmp_path / "mine.py").touch()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for file in (tmp_path / "studies/a.yaml", Path("studies/a.yaml")):
        assert beside(file, text.format(here=tmp_path), "a.yaml:1: x") == tmp_path / "studies/mine.py"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nowhere.py", "'nowhere.py': no such file; it was looked for at {here}/nowhere.py"),
        ("../up.npz", "'../up.npz': no such file; it was looked for at {here.parent}/up.npz"),
        ("", "'': the path of a file is wanted"),
        ("  ", "the path of a file is wanted"),
        ("a\0b", "no file can have this path"),
        ("x" * 300, "no file can have this path"),
        ("~nobody-of-this-name/x", "no file can have this path"),
        ("loop", "no file can have this path"),
    ],
)
def test_what_is_not_there_is_told_with_the_place_and_where_it_was_looked_for(
    tmp_path: Path, text: str, words: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ConfigError) as error:
        beside(tmp_path / "a.yaml", text, "a.yaml:3: methods.mine.method")
    assert str(error.value).startswith("a.yaml:3: methods.mine.method: ")
    assert words.format(here=tmp_path) in str(error.value)
