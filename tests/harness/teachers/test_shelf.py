"""What is on the shelf is what its record says, or is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import shutil
from pathlib import Path

import pytest
import torch
from torch import nn

from harness import data, networks
from harness.errors import UserError
from harness.networks.weights import save_weights
from harness.store import atomic, checksums
from harness.store.layout import Results
from harness.store.reading import read
from harness.store.records import TeacherRecord
from harness.teachers import shelf
from tests import factory

CPU = torch.device("cpu")
PLACE = "teachers/digits/wrn10_1"


def load(results: Path, dataset: str, network: str) -> nn.Module:
    folder = Results(results).teacher(dataset, network)
    return shelf.load(folder, shelf.find(folder), data.load(dataset).task, CPU)


def test_the_teacher_of_another_dataset_is_refused(tmp_path: Path) -> None:
    factory.untrained_teacher(tmp_path)
    shutil.copytree(tmp_path / "teachers/digits", tmp_path / "teachers/cifar10")
    with pytest.raises(UserError, match="a teacher wrn10_1 on digits, which cannot teach here"):
        load(tmp_path, "cifar10", "wrn10_1")


def test_weights_for_other_classes_are_refused(tmp_path: Path) -> None:
    factory.untrained_teacher(tmp_path)
    place = tmp_path / "teachers/digits/wrn10_1"
    save_weights(networks.build("wrn10_1", 100, 1), place / "teacher.safetensors")
    with pytest.raises(UserError, match=r"teacher\.safetensors: sha256 is"):
        load(tmp_path, "digits", "wrn10_1")
    changed = read(place / "teacher.json", TeacherRecord).model_copy(
        update={"sha256": checksums.sha256(place / "teacher.safetensors")}
    )
    atomic.write(place / "teacher.json", changed)
    with pytest.raises(UserError, match=r"cannot be loaded[\s\S]*100"):
        load(tmp_path, "digits", "wrn10_1")


def test_a_teacher_is_borrowed_if_there_is_one(tmp_path: Path) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    shelf.borrow("digits", "wrn10_1", source=theirs, target=ours)
    assert not ours.exists()
    place = factory.untrained_teacher(theirs)
    shelf.borrow("digits", "wrn10_1", source=theirs, target=ours)
    copied = ours / "teachers/digits/wrn10_1"
    assert {file.name for file in copied.iterdir()} == {"teacher.json", "teacher.safetensors"}
    for file in copied.iterdir():
        assert file.read_bytes() == (place / file.name).read_bytes()


def test_without_a_teacher_the_command_that_trains_one_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"teachers/digits/wrn10_1/teacher\.json: no teacher; train it: dkd train-tea"):
        load(tmp_path, "digits", "wrn10_1")


def test_a_teacher_is_stored_with_its_record(tmp_path: Path) -> None:
    dataset, model = data.load("digits"), networks.build("wrn10_1", 10, 1)
    recipe = dataset.teachers.recipe_for("wrn10_1", {"floor": 0.0, "epochs": 3})
    folder = Results(tmp_path).teacher("digits", "wrn10_1")
    record = shelf.put(folder, model, dataset, CPU, recipe, seconds=1.5)
    assert record == read(tmp_path / PLACE / "teacher.json", TeacherRecord)
    weights = (tmp_path / PLACE / "teacher.safetensors").read_bytes()
    assert record.sha256 == hashlib.sha256(weights).hexdigest()
    assert (record.dataset, record.network, record.seconds, record.metric) == ("digits", "wrn10_1", 1.5, "top1")
    assert (record.recipe["epochs"], record.floor, record.data_verified) == (3, 0.0, True)


def test_a_teacher_that_learned_from_unverified_data_says_so(tmp_path: Path) -> None:
    unverified = dataclasses.replace(data.load("digits"), verified=False)
    recipe = unverified.teachers.recipe_for("wrn10_1", {"floor": 0.0})
    folder = Results(tmp_path).teacher("digits", "wrn10_1")
    assert not shelf.put(folder, networks.build("wrn10_1", 10, 1), unverified, CPU, recipe).data_verified


def test_a_teacher_below_its_floor_is_not_stored(tmp_path: Path) -> None:
    dataset = data.load("digits")
    folder = Results(tmp_path).teacher("digits", "wrn10_1")
    with pytest.raises(UserError, match=r"below its floor of 98\.50 %; nothing was stored"):
        shelf.put(folder, networks.build("wrn10_1", 10, 1), dataset, CPU, dataset.teachers.recipe_for("wrn10_1", {}))
    assert not list(tmp_path.iterdir())
