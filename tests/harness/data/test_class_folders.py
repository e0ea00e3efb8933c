"""Which files of a folder are pictures, of which class; and what is said of folders that are laid out otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.data import class_folders
from harness.errors import UserError
from tests.pictures import as_tiny_imagenet, draw


def found(folder: Path) -> set[tuple[str, str, str]]:
    class_folders.check(folder)
    return {(one.part, one.label, one.path.name) for one in class_folders.pictures(folder)}


def test_classes_are_folders_in_parts_or_alone(tmp_path: Path) -> None:
    draw(tmp_path / "alone", [0, 1], ["a", "b"])
    assert found(tmp_path / "alone") == {("", label, f"{n}.png") for label in "ab" for n in (0, 1)}
    for part in ("train", "test"):
        draw(tmp_path / "parts" / part, [0], ["a", "b"])
    assert found(tmp_path / "parts") == {(part, label, "0.png") for part in ("train", "test") for label in "ab"}


def test_what_imagenet_tests_on_is_called_val(tmp_path: Path) -> None:
    for part in ("train", "val"):
        draw(tmp_path / part, [0], ["n01", "n02"])
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "ILSVRC2012_test_00000001.JPEG").touch()  # nobody knows what it shows
    assert found(tmp_path) == {(part, label, "0.png") for part in ("train", "test") for label in ("n01", "n02")}
    assert class_folders.classes(tmp_path) == ["n01", "n02"]


def test_tiny_imagenet_as_its_archive_unpacks(tmp_path: Path) -> None:
    as_tiny_imagenet(tmp_path)
    assert found(tmp_path) == {
        *(("train", label, f"{label}_{n}.JPEG") for label in ("n01", "n02") for n in (0, 1)),
        ("test", "n02", "val_0.JPEG"),
        ("test", "n01", "val_1.JPEG"),
    }
    assert class_folders.beside(tmp_path) == [tmp_path / "wnids.txt", tmp_path / "words.txt"]


@pytest.mark.parametrize("below", ["", "val"])
def test_a_training_part_may_be_left_out(tmp_path: Path, below: str) -> None:
    """Named are the folder of both parts, or that of the part to test on."""
    draw(tmp_path / "val", [0], ["a", "b"])
    draw(tmp_path / "train", [1], ["a", "b", "c"])
    class_folders.check(tmp_path / below, trained=False)
    assert {one.path.name for one in class_folders.pictures(tmp_path / below, trained=False)} == {"0.png"}
    assert class_folders.classes(tmp_path / below, trained=False) == ["a", "b"]


@pytest.mark.parametrize("flat", [False, True])
def test_without_anything_to_test_on_it_is_no_use(tmp_path: Path, flat: bool) -> None:
    draw(tmp_path / "train", [1], ["a", "b"])
    if flat:
        flat_val(tmp_path)
    with pytest.raises(UserError, match="valprep" if flat else "there is train/ with class folders, but no test/"):
        class_folders.check(tmp_path, trained=False)


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


def flat_val(folder: Path) -> None:
    """As the archive of ImageNet's val unpacks."""
    only("train")(folder)
    (folder / "val").mkdir()
    (folder / "val" / "ILSVRC2012_val_00000001.JPEG").touch()


def tiny(unsaid: str = "", annotated: str = "") -> Callable[[Path], object]:
    """Tiny-ImageNet with two classes, and something wrong."""

    def make(folder: Path) -> None:
        as_tiny_imagenet(folder)
        if unsaid:
            (folder / "val" / "images" / unsaid).touch()
        with (folder / "val" / "val_annotations.txt").open("a", encoding="utf-8") as text:
            text.write(annotated)

    return make


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
        (only("train", "dev"), "there is train/ with class folders, but no test/, only dev"),
        (only("val"), "there is val/ with class folders, but no train/"),
        (flat_val, "val/ has files and no class folders; for ImageNet's val there is a script: valprep.sh"),
        (tiny(unsaid="val_9.JPEG"), "val_annotations.txt does not say what these show: images/val_9.JPEG"),
        (tiny(annotated="val_7.JPEG\ta\t0\t0\t1\t1"), "neither files nor links to some: val/images/val_7.JPEG"),
        (tiny(annotated="../val_0.JPEG\ta"), "val_annotations.txt, line 3: a picture's name and its class are wanted"),
        (tiny(annotated="val_0.JPEG a"), "val_annotations.txt, line 3: a picture's name and its class are wanted"),
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
    assert "train/CLASS/picture.png" in told or "val_annotations.txt, line 3" in told
    assert len(told) < 1000


def test_of_many_the_first_few_are_named(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number:04}.png" for number in range(1200)]
    assert class_folders.some(paths, tmp_path) == "0000.png, 0001.png, 0002.png and 1,197 more"
    assert len(class_folders.some(["x" * 10_000] * 5)) < 400
