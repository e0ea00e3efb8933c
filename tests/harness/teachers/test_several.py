"""Several teachers of one network: each has its folder, its record, and commands that name it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

from harness import networks
from harness.errors import UserError
from harness.store import atomic, checking, reading
from harness.store.layout import Results, TeacherFolder, remedy
from harness.store.reading import DamagedRecord
from harness.store.records import Imported, TeacherRecord
from harness.teachers import foreign, shelf, train
from harness.teachers.renaming import KeyRules
from tests import factory

FREE = {"floor": 0.0}


def checkpoint(folder: Path, seed: int, prefix: str = "") -> Path:
    torch.manual_seed(seed)
    state = networks.build("cnn3_16", 10, 1).state_dict()
    extra = {"y": torch.zeros(2)} if prefix else {}
    torch.save({f"{prefix}{key}": value for key, value in state.items()} | extra, folder / f"teacher{seed}.pt")
    return folder / f"teacher{seed}.pt"


def place(results: Path, name: str) -> TeacherFolder:
    return Results(results).teacher("digits", name)


def test_each_keeps_its_own_weights_and_says_where_they_are_from(tmp_path: Path) -> None:
    files = [checkpoint(tmp_path, 0), checkpoint(tmp_path, 1, prefix="x.")]
    foreign.take("digits", "cnn3_16", files[0], results=tmp_path, changes=FREE)
    rules = KeyRules(renamings=[r"^x\.="], drops=["^y"])
    named = foreign.take("digits", "cnn3_16", files[1], name="b", results=tmp_path, changes=FREE, rules=rules)
    plain = checking.teacher(place(tmp_path, "cnn3_16"), weights=True)
    assert named == checking.teacher(place(tmp_path, "cnn3_16+b"), weights=True)
    assert named.sha256 != plain.sha256
    assert (plain.name, plain.network) == ("cnn3_16", "cnn3_16")
    assert (named.name, named.network) == ("cnn3_16+b", "cnn3_16")
    sha256 = hashlib.sha256(files[1].read_bytes()).hexdigest()
    assert named.imported == Imported(file="teacher1.pt", sha256=sha256, renamings=[r"^x\.="], drops=["^y"])
    with pytest.raises(UserError, match=r"cnn3_16\+b: there is a teacher already\n.*--name NAME keeps both"):
        foreign.take("digits", "cnn3_16", files[0], name="b", results=tmp_path, changes=FREE)


def test_one_with_a_name_is_trained_otherwise_or_not_at_all(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dkd train-teacher digits cnn3_16 --name b --import FILE .*, or train it"):
        train.train("digits", "cnn3_16", name="b", results=tmp_path)
    changes = {**FREE, "epochs": 1, "images": 64}
    record = train.train("digits", "cnn3_16", name="b", results=tmp_path, changes=changes, report=lambda _: None)
    assert (record.name, record.imported, record.recipe["images"]) == ("cnn3_16+b", None, 64)
    assert train.train("digits", "cnn3_16", name="b", results=tmp_path) == record, "it is there now"
    assert not place(tmp_path, "cnn3_16").path.exists()


def test_what_is_missing_or_damaged_is_told_with_the_command_that_names_it(tmp_path: Path) -> None:
    folder = place(tmp_path, "cnn3_16+b")
    with pytest.raises(UserError, match="dkd train-teacher digits cnn3_16 --name b --import FILE"):
        shelf.find(folder)
    assert remedy(folder.record).startswith("dkd train-teacher digits cnn3_16 --name b --replace")
    record = foreign.take("digits", "cnn3_16", checkpoint(tmp_path, 0), name="b", results=tmp_path, changes=FREE)
    folder.weights.unlink()
    with pytest.raises(UserError, match=r"dkd train-teacher digits cnn3_16 --name b --replace --import teacher0\.pt"):
        shelf.verify(folder, record)


def test_they_are_borrowed_each_by_its_name(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    foreign.take("digits", "cnn3_16", checkpoint(tmp_path, 0), name="b", results=theirs, changes=FREE)
    shelf.borrow("digits", "cnn3_16+b", source=theirs, target=ours)
    assert checking.teacher(place(ours, "cnn3_16+b"), weights=True).name == "cnn3_16+b"


@pytest.mark.parametrize(
    "changes", [{"name": "wrn10_1+c"}, {"name": "cnn3_16+b", "network": "cnn3_16"}, {"network": "cnn3_16"}]
)
def test_a_record_of_another_teacher_is_refused(tmp_path: Path, changes: dict[str, str]) -> None:
    folder = place(tmp_path, "wrn10_1+b")
    atomic.write(folder.record, factory.teacher(name="wrn10_1+b").model_copy(update=changes))
    with pytest.raises(DamagedRecord):
        checking.teacher(folder)


def test_a_record_of_before_there_were_names_is_its_networks(tmp_path: Path) -> None:
    folder = place(tmp_path, "wrn10_1")
    old = factory.teacher().model_dump(mode="json", exclude={"name", "imported"})
    atomic.write_bytes(folder.record, json.dumps(old).encode())
    assert reading.read(folder.record, TeacherRecord) == factory.teacher()
