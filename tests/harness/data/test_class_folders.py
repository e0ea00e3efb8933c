"""Which files of a folder are pictures, of which class; and what is said of folders that are laid out otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.data import class_folders
from harness.errors import UserError
from tests.pictures import draw


def found(folder: Path) -> set[tuple[str, str, str]]:
    class_folders.check(folder)
    return {(one.part, one.label, one.path.name) for one in class_folders.pictures(folder)}


def test_classes_are_folders_in_parts_or_alone(tmp_path: Path) -> None:
    draw(tmp_path / "alone", [0, 1], ["a", "b"])
    assert found(tmp_path / "alone") == {("", label, f"{n}.png") for label in "ab" for n in (0, 1)}
    for part in ("train", "test"):
        draw(tmp_path / "parts" / part, [0], ["a", "b"])
    assert found(tmp_path / "parts") == {(part, label, "0.png") for part in ("train", "test") for label in "ab"}


def test_a_class_may_be_called_train(tmp_path: Path) -> None:
    draw(tmp_path, [0], ["car", "train"])
    assert {label for _, label, _ in found(tmp_path)} == {"car", "train"}


def test_folders_in_classes_links_and_what_systems_leave(tmp_path: Path) -> None:
    draw(tmp_path / "mine", [0, 1], ["a", "b"])
    draw(tmp_path / "elsewhere", [7], ["c"])
    folder = tmp_path / "mine"
    (folder / "a" / "deep").mkdir()
    (folder / "a" / "0.png").rename(folder / "a" / "deep" / "0.png")
    (folder / "a" / "deep" / "again").symlink_to(folder / "a")
    (folder / "c").symlink_to(tmp_path / "elsewhere" / "c")
    (folder / "b" / "link.png").symlink_to(tmp_path / "elsewhere" / "c" / "7.png")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._0.png"):
        (folder / "a" / name).touch()
    for name in (".git", "__MACOSX"):
        draw(folder / "a", [3], [name])
    assert found(folder) == {
        *(("", "a", f"{n}.png") for n in (0, 1)),
        *(("", "b", name) for name in ("0.png", "1.png", "link.png")),
        ("", "c", "7.png"),
    }


def test_files_beside_the_classes_are_told(tmp_path: Path) -> None:
    for part in ("train", "test"):
        draw(tmp_path / part, [0], ["a", "b"])
    (tmp_path / "README.md").touch()
    (tmp_path / "train" / "lost.png").touch()
    (tmp_path / ".hidden").touch()
    assert class_folders.beside(tmp_path) == [tmp_path / "README.md", tmp_path / "train" / "lost.png"]
    assert len(found(tmp_path)) == 4


def only(*parts: str, classes: tuple[str, ...] = ("a", "b")) -> Callable[[Path], object]:
    return lambda folder: [draw(folder / part, [0], classes) for part in parts]


def in_one_part(part: str) -> Callable[[Path], object]:
    return lambda folder: (only("train", "test")(folder), draw(folder / part, [0], ["c"]))


def emptied(folder: Path) -> None:
    only("train", "test")(folder)
    (folder / "test" / "b" / "0.png").unlink()


def broken_link(folder: Path) -> None:
    draw(folder, [0], ["a", "b"])
    (folder / "a" / "gone.png").symlink_to(folder / "nowhere.png")


def pipe(folder: Path) -> None:
    draw(folder, [0], ["a", "b"])
    os.mkfifo(folder / "a" / "pipe.png")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda folder: folder.rmdir(), "no such folder"),
        (lambda folder: (folder.rmdir(), folder.touch()), "a file; `npz: FILE` takes arrays"),
        (lambda folder: None, "no class folders in it"),
        (lambda folder: (folder / "picture.png").touch(), "no class folders in it"),
        (only("", classes=("a",)), "one class alone, a: two or more"),
        (only("train", "test", classes=("a",)), "one class alone, a"),
        (only("train"), "there is train/ with class folders, but no test/"),
        (only("test"), "there is test/ with class folders, but no train/"),
        (only("train", "val"), "there is train/ with class folders, but no test/, only val"),
        (only("train", "test", "val"), "beside train/ and test/ there is val: move it away"),
        (in_one_part("train"), "test/ lacks classes that the other part has: c"),
        (in_one_part("test"), "train/ lacks classes that the other part has: c"),
        (emptied, "no picture in test/b"),
        (lambda folder: [(folder / name).mkdir() for name in "ab"], "no picture in a, b"),
        (only("", classes=("a", "b\u202e")), "names of classes are at most 80 printable letters"),
        (only("", classes=("a", "b" * 81)), "names of classes are at most 80 printable letters"),
        (broken_link, "neither files nor links to some: a/gone.png"),
        (pipe, "neither files nor links to some: a/pipe.png"),
    ],
)
def test_other_layouts_are_named(tmp_path: Path, make: Callable[[Path], object], problem: str) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    make(folder)
    with pytest.raises(UserError) as caught:
        class_folders.check(folder)
    told = str(caught.value)
    assert problem in told
    assert str(folder) in told
    assert "train/CLASS/picture.png" in told
    assert len(told) < 1000


def test_of_many_the_first_few_are_named(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number:04}.png" for number in range(1200)]
    assert class_folders.some(paths, tmp_path) == "0000.png, 0001.png, 0002.png and 1,197 more"
    assert len(class_folders.some(["x" * 10_000] * 5)) < 400
