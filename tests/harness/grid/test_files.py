"""Files that a study names: found from its folder, and told before any work starts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.errors import ConfigError
from harness.grid import files, settings
from harness.grid.cell import Cell
from harness.grid.grid import load_grid
from harness.run.assemble import method_class, method_config
from methods.base.files import File
from methods.base.method import MethodConfig
from tests.harness.grid.test_study import write

METHOD = """
from methods.base.files import File
from methods.references import KDNoise, MethodConfig

class Config(MethodConfig):
    embeddings: File | None = None

class Mine(KDNoise):
    name = "mine"
    Config = Config
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of studies with a method and a file for its option; another one is the current folder."""
    (tmp_path / "studies/deep").mkdir(parents=True)
    (tmp_path / "studies/mine.py").write_text(METHOD, encoding="utf-8")
    (tmp_path / "studies/emb.npz").write_bytes(b"embeddings")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "studies"


def cells(folder: Path, **changes: object) -> list[Cell]:
    return load_grid(write(folder, **changes)).cells


def asked(method: str = "mine.py", **options: object) -> dict[str, object]:
    return {"methods": {"mine": {"method": method, **options}}}


@pytest.mark.parametrize("method", ["mine.py", "deep/../mine.py", "../studies/mine.py"])
def test_a_method_file_lies_beside_its_study(folder: Path, method: str) -> None:
    (cell,) = cells(folder, **asked(method))
    assert (cell.method, dict(cell.outside)) == ("mine.py", {"method": folder / "mine.py"})
    assert method_class(cell).name == "mine"


def test_files_of_a_base_lie_beside_the_base(folder: Path) -> None:
    write(folder, "low.yaml", **asked(), budget={"embeddings": {"file": "emb.npz"}})
    above = folder / "deep/above.yaml"
    above.write_text("extends: ../low.yaml\nstudy: above\n", encoding="utf-8")
    (cell,) = load_grid(above).cells
    assert cell.outside["method"] == folder / "mine.py"
    assert cell.budget.options == {"embeddings": File(folder / "emb.npz")}
    above.write_text("extends: ../low.yaml\nstudy: above\nmethods: {mine: {method: mine.py}}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=rf"above.yaml:3: methods.mine.method: 'mine.py': .* {folder}/deep/mine.py$"):
        load_grid(above)


def test_three_lines_are_a_study(folder: Path) -> None:
    """What the bench's own configuration says of data, pairs and budget goes for a method of one's own."""
    file = folder / "three.yaml"
    file.write_text("study: three\nextends: digits.yaml\nmethods: {mine: {method: mine.py}}\n", encoding="utf-8")
    found = load_grid(file).cells
    assert {(cell.study, cell.dataset, cell.label, cell.method) for cell in found} == {
        ("three", "digits", "mine", "mine.py")
    }
    assert len(found) > 1


def test_a_file_in_an_option_is_what_the_configuration_gets(folder: Path) -> None:
    (cell,) = cells(folder, **asked(embeddings={"file": "emb.npz"}))
    config = method_config(cell)
    with open(config.embeddings, "rb") as file:  # type: ignore[attr-defined]
        assert file.read() == b"embeddings"
    sha256 = "302049d75567a9b3a1f9a359e27ffd4eb303d7a51e4dd302d6051e73aa6f6482"
    assert config.model_dump(mode="json")["embeddings"] == {"sha256": sha256}
    assert str(folder) not in config.model_dump_json()


def test_a_file_set_by_hand_lies_in_the_current_folder(folder: Path) -> None:
    (cell,) = cells(folder, **asked())
    Path("emb.npz").write_bytes(b"other")
    changed = settings.apply(settings.parse(["embeddings={file: emb.npz}"]), cell)
    assert changed.options == {"embeddings": File(folder.parent / "elsewhere/emb.npz")}
    with pytest.raises(ConfigError, match=r"^--set: methods.mine.embeddings.file: 'nowhere': .*elsewhere/"):
        settings.apply(settings.parse(["embeddings={file: nowhere}"]), cell)


def test_a_path_alone_is_no_file(folder: Path) -> None:
    (cell,) = cells(folder, **asked(embeddings="emb.npz"))
    with pytest.raises(ConfigError, match=r"mine.embeddings: 'emb.npz': a file is wanted, written as {file: PATH}"):
        method_config(cell)


def test_an_option_that_is_no_file_takes_none(folder: Path) -> None:
    (cell,) = cells(folder, **asked(steps={"file": "emb.npz"}))
    with pytest.raises(ConfigError, match=r"methods.mine.steps: .*: a whole number is wanted"):
        method_config(cell)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nowhere.py", "'nowhere.py': no such file; it was looked for at {here}/nowhere.py"),
        ("folder.py", "'folder.py': a folder, and a file is wanted: {here}/folder.py"),
        ("pipe.py", "'pipe.py': not a regular file"),
        ("text.py", "'text.py': cannot be read as Python: invalid syntax (text.py, line 1)"),
        ("bytes.py", "'bytes.py': cannot be read as Python: "),
        ("uses.py", "'uses.py': cannot be read as Python: invalid syntax (text.py, line 1)"),
        ("with a space.py", "'with a space.py': results bear the file's name, so rename it"),
        ("mine", "unknown method: 'mine'"),
    ],
)
def test_a_method_that_cannot_be_used_is_told_before_anything_starts(folder: Path, text: str, words: str) -> None:
    (folder / "folder.py").mkdir()
    os.mkfifo(folder / "pipe.py")
    (folder / "text.py").write_text("no Python", encoding="utf-8")
    (folder / "bytes.py").write_bytes(b"x = '\xe9'\n")
    (folder / "uses.py").write_text("import text", encoding="utf-8")
    (folder / "with a space.py").touch()
    with pytest.raises(ConfigError) as error:
        cells(folder, **asked(text))
    assert str(error.value).startswith("mine.yaml:4: methods.mine.method: ")
    assert words.format(here=folder) in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nowhere.npz", "'nowhere.npz': no such file; it was looked for at {here}/nowhere.npz"),
        ("deep", "'deep': a folder, and a file is wanted: {here}/deep"),
        ("pipe", "'pipe': not a regular file"),
        ("", "'': the path of a file is wanted"),
        (3, "3: the path of a file is wanted"),
        (None, "null: the path of a file is wanted"),
        ("a name.npz", "'a name.npz': results bear the file's name"),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_file_that_cannot_be_used_is_told_before_anything_starts(
    folder: Path, text: object, words: str, inside: bool
) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "a name.npz").touch()
    option: object = {"file": text}
    with pytest.raises(ConfigError) as error:
        cells(folder, **asked(embeddings=[option] if inside else option))
    assert "methods.mine.embeddings" in str(error.value)
    assert words.format(here=folder) in str(error.value)


def test_a_file_that_cannot_be_read_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)  # root may read everything
    with pytest.raises(ConfigError, match=rf"x.file: cannot be read: Permission denied: {folder}/emb.npz"):
        files.options({"x": {"file": "emb.npz"}}, folder / "mine.yaml", "methods.mine.{}".format)


def test_other_mappings_are_options_as_they_stand(tmp_path: Path) -> None:
    values = {"a": {"file": "x", "more": 1}, "b": {}, "c": [1, {"d": 2}], "e": None}
    assert files.options(values, tmp_path / "mine.yaml", str) == values


def test_a_field_of_files_takes_nothing_else() -> None:
    class Config(MethodConfig):
        embeddings: File

    for value in ("emb.npz", Path("emb.npz"), {"sha256": "0"}, None, 3):
        with pytest.raises(ValidationError, match=r"a file is wanted"):
            Config(embeddings=value)  # type: ignore[arg-type]


def test_the_study_itself_keeps_what_was_written(folder: Path) -> None:
    """Else one that extends it would look for files from its own folder."""
    written = asked(embeddings={"file": "emb.npz"})
    (study,) = load_grid(write(folder, **written)).studies
    assert study.model_dump(exclude_unset=True)["methods"] == written["methods"]
