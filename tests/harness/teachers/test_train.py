"""What becomes of a trained network: its record, or nothing if it is too weak."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest
import torch

from harness import data, networks
from harness.errors import UserError
from harness.store.layout import Results
from harness.store.reading import read
from harness.store.records import TeacherRecord
from harness.teachers import shelf

CPU = torch.device("cpu")
PLACE = "teachers/digits/wrn10_1"


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
