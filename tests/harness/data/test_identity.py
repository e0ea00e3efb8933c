"""Which data a dataset gives: a reader that is put right and a file that is replaced are other data."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import data
from harness.data import catalogue, identity, remembered
from harness.engine import evaluate
from harness.errors import UserError
from harness.grid import keys
from tests import factory
from tests.harness.grid.test_keys import cell

READER = """\
import torch
from harness.data.dataset import Dataset
from harness.data.recipe import Recipe, Teachers
from methods.base.task import RealImages, Task

{files}

def read(part):
    pixels = torch.frombuffer(bytearray(part.read_bytes()), dtype=torch.uint8).view(-1, 1, 8, 8)
    return RealImages(pixels, torch.arange(len(pixels)) % 2 + {off})


def dataset(folder, verify):
    task = Task(
        2, (1, 8, 8), (0.5,), (0.5,), pad=1, flip=False, reference_size=4, class_names=("even", "odd")
    )
    teachers = Teachers(Recipe(epochs=1, batch=2, lr=0.1, weight_decay=0.0))
    return Dataset(task, teachers, *(lambda part=part: read(folder / "mine" / part) for part in ("train", "test")))


DATASETS = {{"mine": dataset}}
"""


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A dataset of one's own, with its reader in the place of harness/data; returns the folder of its images."""
    readers, images = tmp_path / "readers", tmp_path / "images"
    (images / "mine").mkdir(parents=True)
    readers.mkdir()
    for part in ("train", "test"):
        (images / "mine" / part).write_bytes(bytes(range(256)))
    monkeypatch.setattr(catalogue, "FOLDER", readers)
    monkeypatch.setattr(data, "__path__", [*data.__path__, str(readers)])
    monkeypatch.setenv("DKD_DATA", str(images))
    write()
    yield images / "mine"
    forget()


def forget() -> None:
    keys.forget()
    sys.modules.pop("harness.data.mine", None)
    catalogue.registered.cache_clear()
    catalogue.places.cache_clear()


def write(off: int = 0, files: str = "", more: str = "") -> None:
    (catalogue.FOLDER / "mine.py").write_text(READER.format(off=off, files=files) + more, encoding="utf-8")
    forget()


def told() -> tuple[str | None, str]:
    """Identity for the teacher, and plan key of a cell."""
    forget()
    return identity.of("mine", verified=False), keys.plan_key(cell("scratch", dataset="mine"))


def settle(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the files be as old as they must be to be remembered."""
    now = time.time() + 10
    monkeypatch.setattr(time, "time", lambda: now)
    assert told()
    assert (folder.parent / ".mine.sha256").exists()


def test_a_reader_put_right_is_another_dataset() -> None:
    write(off=1)
    wrong = told()
    write(off=0)
    right = told()
    assert wrong[0] != right[0] is not None
    assert wrong[1] != right[1]
    write(off=1, more="# why\n")
    assert told() == wrong


@pytest.mark.parametrize("remembered", [False, True])
@pytest.mark.parametrize("change", ["replaced", "of the same size and time", "renamed", "removed", "added"])
def test_a_changed_file_is_another_dataset(
    mine: Path, monkeypatch: pytest.MonkeyPatch, change: str, remembered: bool
) -> None:
    if remembered:
        settle(mine, monkeypatch)
    before, file = told(), mine / "train"
    look = file.stat()
    match change:
        case "replaced":
            file.write_bytes(bytes(128))
        case "of the same size and time":
            file.write_bytes(bytes(256))
            os.utime(file, ns=(look.st_atime_ns, look.st_mtime_ns))
        case "renamed":
            file.rename(mine / "train-2")
        case "removed":
            file.unlink()
        case "added":
            (mine / "deep" / "er").mkdir(parents=True)
            (mine / "deep" / "er" / "file").touch()
    after = told()
    assert None not in (before[0], after[0])
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_only_contents_count(mine: Path) -> None:
    before = told()
    for part in ("train", "test"):
        os.utime(mine / part, (1, 1))
    (mine / ".DS_Store").touch()
    mine.rename(mine.with_name("elsewhere"))
    mine.symlink_to("elsewhere", target_is_directory=True)
    assert told() == before


def test_files_are_read_again_only_after_a_change(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(mine, monkeypatch)
    monkeypatch.setattr(remembered, "sha256", lambda path: pytest.fail(f"{path} was read again"))
    assert told()[0]


def test_a_folder_of_others_is_read_every_time(mine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(remembered, "write_bytes", refuse)
    now = time.time() + 10
    monkeypatch.setattr(time, "time", lambda: now)
    assert told()[0]
    assert not (mine.parent / ".mine.sha256").exists()


def test_files_that_are_not_here_are_not_guessed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = told()
    teacher = factory.teacher("mine").model_copy(update={"data": before[0], "data_verified": False})
    assert identity.outdated(teacher) is None
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "nothing"))
    after = told()
    assert after[0] is None
    assert after[1] != before[1]
    assert identity.outdated(teacher) is None


def test_a_teacher_of_other_data_is_told() -> None:
    teacher = factory.teacher("mine").model_copy(update={"data": told()[0], "data_verified": False})
    assert identity.outdated(teacher) is None
    write(off=1)
    assert "learned from other data" in (identity.outdated(teacher) or "")
    old = teacher.model_copy(update={"data": None})
    assert "made by an earlier version" in (identity.outdated(old) or "")


def test_other_places_are_named_in_files(mine: Path) -> None:
    elsewhere = mine.with_name("elsewhere.bin")
    elsewhere.write_bytes(b"1")
    write(files='FILES = {"mine": ["elsewhere.bin", "mine/train"]}')
    before = told()
    (mine / "test").write_bytes(bytes(64))
    assert told() == before
    elsewhere.write_bytes(b"2")
    assert told() != before


def test_no_files_are_no_secret() -> None:
    """Images from elsewhere could change without anybody's noticing."""
    write(files='FILES = {"mine": ["nowhere"]}')
    with pytest.raises(UserError, match=r"its images come from elsewhere than .*nowhere"):
        data.load("mine").train()
    write(files='FILES: dict[str, list[str]] = {"mine": []}')
    assert len(data.load("mine").train().images) == 4
    assert told()[0] is not None


def test_data_without_checksums_are_not_verified() -> None:
    assert not data.load("mine", verify=True).verified
    assert data.load("mine").identity == identity.of("mine", verified=False)


@pytest.mark.parametrize(
    ("name", "verified"), [("digits", True), ("cifar10", True), ("cifar100", True), ("nyuv2", False)]
)
def test_official_checksums_are_those_in_the_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, verified: bool
) -> None:
    monkeypatch.undo()
    forget()
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "nothing"))
    assert data.load(name).verified == verified
    assert not data.load(name, verify=False).verified
    assert (identity.of(name, verified) is None) == (name == "nyuv2")


def test_labels_off_by_one_are_refused_before_any_work() -> None:
    write(off=1)
    with pytest.raises(UserError, match="dataset mine, training part: labels from 1 to 2, its Task says 2 classes"):
        evaluate.check(data.load("mine"))
