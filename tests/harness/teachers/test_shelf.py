"""What is on the shelf is what its record says, or is refused."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import nn

from harness import data, networks
from harness.data.recipe import Recipe
from harness.errors import UserError
from harness.networks import weights
from harness.networks.weights import save_weights
from harness.store import atomic, checksums
from harness.store.layout import Results, TeacherFolder
from harness.store.reading import read
from harness.store.records import TeacherRecord
from harness.teachers import shelf
from tests import factory, faults

CPU = torch.device("cpu")
PLACE = "teachers/digits/wrn10_1"


def load(results: Path, dataset: str, network: str) -> nn.Module:
    folder = Results(results).teacher(dataset, network)
    return shelf.load(folder, shelf.find(folder), data.load(dataset).task, CPU)


def test_the_teacher_of_another_dataset_is_refused(tmp_path: Path) -> None:
    factory.untrained_teacher(tmp_path)
    shutil.copytree(tmp_path / "teachers/digits", tmp_path / "teachers/cifar10")
    with pytest.raises(UserError, match="is the record of wrn10_1 on digits"):
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
    assert {file.name for file in copied.iterdir()} == {"teacher.json", "teacher.safetensors", "lock"}
    for name in ("teacher.json", "teacher.safetensors"):
        assert (copied / name).read_bytes() == (place / name).read_bytes()


def test_without_a_teacher_the_command_that_trains_one_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"teachers/digits/wrn10_1/teacher\.json: no teacher; train it: dkd train-tea"):
        load(tmp_path, "digits", "wrn10_1")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("wrn10_1", "dkd train-teacher digits wrn10_1"),
        ("wrn10_1+mine", "dkd train-teacher digits wrn10_1 --name mine --import FILE"),
        ("resnet20+akamaster", "dkd teachers get akamaster-resnet20"),
    ],
)
@pytest.mark.parametrize("where", ["results", "my results"])
def test_the_command_for_a_teacher_puts_it_where_it_was_looked_for(name: str, command: str, where: str) -> None:
    folder = Results(Path(where)).teacher("cifar10" if "resnet20" in name else "digits", name)
    shown = shelf.how_to_make(folder).partition(": ")[2]
    assert shown == (command if where == "results" else f"{command} --results 'my results'")


def test_a_teacher_is_stored_with_its_record(tmp_path: Path) -> None:
    dataset, model = data.load("digits"), networks.build("wrn10_1", 10, 1)
    recipe = dataset.teachers.recipe_for("wrn10_1", {"floor": 0.0, "epochs": 3})
    folder = Results(tmp_path).teacher("digits", "wrn10_1")
    record = shelf.put(folder, "wrn10_1", model, dataset, CPU, recipe, seconds=1.5)
    assert record == read(tmp_path / PLACE / "teacher.json", TeacherRecord)
    written = (tmp_path / PLACE / "teacher.safetensors").read_bytes()
    assert record.sha256 == hashlib.sha256(written).hexdigest()
    assert (record.dataset, record.network, record.seconds, record.metric) == ("digits", "wrn10_1", 1.5, "top1")
    assert (record.recipe["epochs"], record.floor, record.data_verified) == (3, 0.0, True)


def test_a_teacher_that_learned_from_unverified_data_says_so(tmp_path: Path) -> None:
    unverified = dataclasses.replace(data.load("digits"), verified=False)
    recipe = unverified.teachers.recipe_for("wrn10_1", {"floor": 0.0})
    folder = Results(tmp_path).teacher("digits", "wrn10_1")
    assert not shelf.put(folder, "wrn10_1", networks.build("wrn10_1", 10, 1), unverified, CPU, recipe).data_verified


def test_a_teacher_below_its_floor_is_not_stored(tmp_path: Path) -> None:
    dataset = data.load("digits")
    folder = Results(tmp_path).teacher("digits", "wrn10_1")
    with pytest.raises(UserError, match=r"below its floor of 96\.00 %; nothing was stored"):
        shelf.put(
            folder,
            "wrn10_1",
            networks.build("wrn10_1", 10, 1),
            dataset,
            CPU,
            dataset.teachers.recipe_for("wrn10_1", {}),
        )
    assert not list(tmp_path.iterdir())


def _late(
    results: Path, load_weights: Callable[[nn.Module, Path], nn.Module], network: nn.Module, path: Path
) -> nn.Module:
    """Loads weights that were replaced just before."""
    put(results, untrained(1))
    return load_weights(network, path)


def record_of(folder: TeacherFolder) -> TeacherRecord:
    return read(folder.record, TeacherRecord)


def put(results: Path, model: nn.Module, floor: float | None = 0.0) -> TeacherRecord:
    """The model on the shelf of the digits, as a wrn10_1."""
    recipe = Recipe(epochs=1, batch=1, lr=0.1, weight_decay=0.0, floor=floor)
    return shelf.put(Results(results).teacher("digits", "wrn10_1"), "wrn10_1", model, data.load("digits"), CPU, recipe)


def untrained(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return networks.build("wrn10_1", 10, 1)


def test_without_a_floor_a_teacher_must_be_better_than_chance(tmp_path: Path) -> None:
    """500 images of 10 classes: 10 % and three deviations of 1.34 points."""
    model = untrained()
    torch.nn.init.zeros_(model.linear.weight)
    torch.nn.init.ones_(model.linear.bias)
    with pytest.raises(UserError, match=r"below its floor of 14\.02 %; nothing was stored.*--set floor=0"):
        put(tmp_path, model, floor=None)
    assert not list(tmp_path.iterdir())
    assert put(tmp_path, model, floor=0.0).floor == 0.0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["linear.bias", "bn.running_var", "conv1.weight"])
def test_weights_that_are_no_numbers_are_named(name: str, value: float, tmp_path: Path) -> None:
    model = untrained()
    model.state_dict()[name].view(-1)[0] = value
    with pytest.raises(UserError, match=rf"teacher digits/wrn10_1: NaN or infinite values in {re.escape(name)}; noth"):
        put(tmp_path, model)
    assert not list(tmp_path.iterdir())
    place = factory.untrained_teacher(tmp_path)
    save_weights(model, place / "teacher.safetensors")
    sha256 = checksums.sha256(place / "teacher.safetensors")
    atomic.write(place / "teacher.json", factory.teacher().model_copy(update={"sha256": sha256}))
    with pytest.raises(
        UserError, match=rf"teacher\.safetensors: NaN or infinite values in {re.escape(name)}; train it"
    ):
        load(tmp_path, "digits", "wrn10_1")


def test_a_teacher_that_is_replaced_while_it_is_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Results(tmp_path).teacher("digits", "wrn10_1")
    old = put(tmp_path, untrained(0))
    shelf.require_current(folder, old)

    task = data.load("digits").task
    with monkeypatch.context() as patch:
        patch.setattr("harness.networks.weights.load_weights", partial(_late, tmp_path, weights.load_weights))
        with pytest.raises(shelf.Replaced, match=r"teacher digits/wrn10_1 was replaced meanwhile: .* sha256 "):
            shelf.load(folder, old, task, CPU)
    with pytest.raises(shelf.Replaced):
        shelf.load(folder, old, task, CPU)
    new = shelf.load(folder, record_of(folder), task, CPU)
    assert torch.equal(new.state_dict()["conv1.weight"], untrained(1).state_dict()["conv1.weight"])


@pytest.mark.parametrize("torn", [False, True])
def test_weights_and_record_belong_together_whenever_it_is_killed(torn: bool, tmp_path: Path) -> None:
    """A teacher takes the place of another one, and the process dies at any operation on its files."""
    theirs = tmp_path / "theirs"
    ends = set()
    new = put(theirs, untrained(1))
    for point in itertools.count():
        ours = tmp_path / str(point)
        old = put(ours, untrained(0))
        work = partial(shelf.borrow, "digits", "wrn10_1", source=theirs, target=ours)
        code, _, _ = faults.run(work, ours, die_at=point, torn=torn)
        folder = Results(ours).teacher("digits", "wrn10_1")
        if folder.record.exists():
            record = record_of(folder)
            shelf.verify(folder, record)
            ends.add("old" if record == old else "new" if record == new else "another")
        else:
            ends.add("none")
        work()
        assert record_of(folder) == new
        shelf.verify(folder, new)
        if code == 0:
            break
    assert ends == {"old", "none", "new"}


def test_a_teacher_that_is_known_is_not_borrowed_again(tmp_path: Path) -> None:
    put(tmp_path / "theirs", untrained())
    borrow = partial(shelf.borrow, "digits", "wrn10_1", source=tmp_path / "theirs", target=tmp_path / "ours")
    borrow()
    files = list((tmp_path / "ours" / PLACE).iterdir())
    before = [file.stat().st_ino for file in files]
    borrow()
    assert [file.stat().st_ino for file in files] == before


def test_what_a_killed_process_left_is_tidied_up(tmp_path: Path) -> None:
    folder = Results(tmp_path).teacher("digits", "wrn10_1")
    folder.path.mkdir(parents=True)
    for name in (".staged.99.tmp", ".teacher.json.99.tmp"):
        (folder.path / name).write_bytes(b"cut")
    with shelf.alone(folder, print):
        assert [file.name for file in folder.path.iterdir()] == ["lock"]
