"""Teachers: recipes, resume, and those trained elsewhere."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from harness import data, networks, storage, teachers
from harness.assemble import save_weights
from harness.errors import ConfigError, UserError
from harness.fit import Fit, focal_loss
from harness.recipes import recipe_for
from harness.records import TeacherRecord, read
from harness.rng import Streams
from methods.parts.augment import random_windows
from tests import factory

CPU = torch.device("cpu")
SHORT = {"epochs": 3, "images": 200, "floor": 0.0}


def test_floors_are_half_a_point_below_the_published_teachers() -> None:
    assert recipe_for("cifar10", "resnet34", {}).floor == pytest.approx(95.20)
    assert recipe_for("cifar100", "vgg11", {}).floor == pytest.approx(70.82)
    assert recipe_for("nyuv2", "deeplabv3_resnet50", {}).floor == pytest.approx(48.7)
    assert recipe_for("cifar10", "wrn40_2", {"floor": 90.0}).floor == 90.0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({"epoch": 3}, r"recipe\.epoch[\s\S]*did you mean: epochs"), ({"epochs": 0}, r"recipe\.epochs: 0: .*greater")],
)
def test_bad_recipes_name_the_field(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        recipe_for("digits", "wrn10_1", changes)


def fit(folder: Path) -> Fit:
    dataset = data.load("digits")
    network = Streams(0, CPU).build("teacher-init", lambda: networks.build("cnn3_16", 10, 1))
    return Fit(network, dataset, recipe_for("digits", "cnn3_16", SHORT), CPU, folder / "training.pt")


def test_a_stopped_training_ends_as_if_it_had_not_been_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit(tmp_path / "whole").run(lambda line: None)
    monkeypatch.setattr("harness.fit.CHECKPOINT_SECONDS", 0.0)
    said: list[str] = []

    def stop(line: str) -> None:
        if line.startswith("epoch 3/"):
            raise KeyboardInterrupt  # the second epoch is saved, the third is not

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "stopped").run(stop)
    resumed = fit(tmp_path / "stopped").run(said.append)
    assert said[0] == "resumed after epoch 2"
    for name, value in whole.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_focal_loss_is_the_formula_and_ignored_pixels_stay_in_the_mean() -> None:
    logits = torch.randn(2, 3, 2, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    labels = torch.tensor([[[0, 1], [2, 255]], [[255, 2], [1, 0]]])
    total = 0.0
    for b in range(2):
        for i in range(2):
            for j in range(2):
                if (y := int(labels[b, i, j])) != 255:
                    p = logits[b, :, i, j].softmax(0)[y]
                    total += float(-((1 - p) ** 2) * p.log())
    assert focal_loss(logits, labels, 2.0).item() == pytest.approx(total / 8, rel=1e-12)
    assert focal_loss(logits, labels, 0.0).item() == pytest.approx(
        F.cross_entropy(logits, labels, ignore_index=255, reduction="sum").item() / 8, rel=1e-12
    )


def test_windows_cut_images_and_labels_alike() -> None:
    image = torch.arange(2 * 3 * 7 * 9).view(2, 3, 7, 9)
    windows, labels = random_windows(image, image[:, 0], (4, 5), True, torch.Generator().manual_seed(3))
    for picture, window, label in zip(image, windows, labels, strict=True):
        found = [
            (y, x, flip)
            for y in range(4)
            for x in range(5)
            for flip in (False, True)
            if torch.equal(window, _flip(picture[:, y : y + 4, x : x + 5], flip))
        ]
        assert len(found) == 1
        assert torch.equal(label, window[0])


def _flip(window: Tensor, flip: bool) -> Tensor:
    return window.flip(2) if flip else window


def test_a_foreign_checkpoint_is_renamed_measured_and_stored(tmp_path: Path) -> None:
    network = networks.build("cnn3_16", 10, 1)
    file = tmp_path / "foreign.pt"
    torch.save({"state_dict": {f"module.{key}": value for key, value in network.state_dict().items()}}, file)
    record = teachers.take(
        "digits", "cnn3_16", file, renamings=[r"^module\.="], results=tmp_path, changes={"floor": 0.0}
    )
    stored = teachers.load(tmp_path, "digits", "cnn3_16", data.load("digits"), CPU)
    assert all(torch.equal(value, stored.state_dict()[key]) for key, value in network.state_dict().items())
    assert record.recipe["imported"]
    with pytest.raises(UserError, match="there is a teacher already"):
        teachers.take("digits", "cnn3_16", file, results=tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ({"module.linear.weight": torch.zeros(10, 64)}, r"are not in it, 1 keys \(module\.linear\.weight\)"),
        ([1, 2], "not a state dict"),
    ],
)
def test_a_foreign_checkpoint_that_does_not_fit_says_why(tmp_path: Path, content: object, expected: str) -> None:
    torch.save(content, tmp_path / "foreign.pt")
    with pytest.raises(UserError, match=expected):
        teachers.take("digits", "cnn3_16", tmp_path / "foreign.pt", results=tmp_path)


def test_a_pickle_is_not_executed(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "touched"),))

    torch.save({"x": Evil()}, tmp_path / "foreign.pt")
    with pytest.raises(UserError, match="cannot be read as weights"):
        teachers.take("digits", "cnn3_16", tmp_path / "foreign.pt", results=tmp_path)
    assert not (tmp_path / "touched").exists()


def test_the_teacher_of_another_dataset_is_refused(tmp_path: Path) -> None:
    factory.untrained_teacher(tmp_path)
    shutil.copytree(tmp_path / "teachers/digits", tmp_path / "teachers/cifar10")
    with pytest.raises(UserError, match="a teacher wrn10_1 on digits, which cannot teach here"):
        teachers.load(tmp_path, "cifar10", "wrn10_1", data.load("cifar10"), CPU)


def test_weights_for_other_classes_are_refused(tmp_path: Path) -> None:
    factory.untrained_teacher(tmp_path)
    place = tmp_path / "teachers/digits/wrn10_1"
    save_weights(networks.build("wrn10_1", 100, 1), place / "teacher.safetensors")
    with pytest.raises(UserError, match=r"teacher\.safetensors: sha256 is"):
        teachers.load(tmp_path, "digits", "wrn10_1", data.load("digits"), CPU)
    changed = read(place / "teacher.json", TeacherRecord).model_copy(
        update={"sha256": storage.sha256(place / "teacher.safetensors")}
    )
    storage.write(place / "teacher.json", changed)
    with pytest.raises(UserError, match=r"cannot be loaded[\s\S]*100"):
        teachers.load(tmp_path, "digits", "wrn10_1", data.load("digits"), CPU)


def test_a_teacher_that_learned_from_unverified_data_says_so(tmp_path: Path) -> None:
    unverified = dataclasses.replace(data.load("digits"), verified=False)
    model = networks.build("wrn10_1", 10, 1)
    recipe = recipe_for("digits", "wrn10_1", {"floor": 0.0})
    record = teachers.store(tmp_path, model, unverified, CPU, recipe, 0.0, ("digits", "wrn10_1"))
    assert not record.data_verified
