"""How teachers are trained: resume and loss."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from harness import code, data, networks
from harness.engine.randomness import Streams
from harness.errors import UserError
from harness.teachers import train
from harness.teachers.fit import Fit, focal_loss
from methods.parts.views import random_windows

CPU = torch.device("cpu")
SHORT = {"epochs": 3, "images": 200, "floor": 0.0}


def fit(folder: Path) -> Fit:
    dataset = data.load("digits")
    network = Streams(0, CPU).build("teacher-init", lambda: networks.build("cnn3_16", 10, 1))
    return Fit(network, dataset, dataset.teachers.recipe_for("cnn3_16", SHORT), CPU, folder / "training.pt", "")


def test_more_images_than_there_are_cannot_be_asked_for(tmp_path: Path) -> None:
    recipe = data.load("digits").teachers.recipe_for("cnn3_16", {"images": 1298})
    with pytest.raises(UserError, match=r"recipe\.images: 1298: there are 1297 training images"):
        Fit(networks.build("cnn3_16", 10, 1), data.load("digits"), recipe, CPU, tmp_path / "training.pt", "")


def test_a_stopped_training_ends_as_if_it_had_not_been_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit(tmp_path / "whole").run(lambda line: None)
    monkeypatch.setattr("harness.teachers.fit.CHECKPOINT_SECONDS", 0.0)
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


def test_a_training_below_its_floor_need_not_be_repeated_with_a_lower_one(tmp_path: Path) -> None:
    dataset, said = data.load("digits"), list[str]()
    for floor in (99.9, 0.0):
        recipe = dataset.teachers.recipe_for("cnn3_16", {**SHORT, "floor": floor})
        network = Streams(0, CPU).build("teacher-init", lambda: networks.build("cnn3_16", 10, 1))
        Fit(network, dataset, recipe, CPU, tmp_path / "training.pt", "").run(said.append)
    assert [line.partition(",")[0] for line in said] == ["epoch 1/3", "epoch 2/3", "epoch 3/3", "resumed after epoch 3"]


@pytest.mark.parametrize(
    ("images", "steps", "epochs"),
    [(200, 7, 7), (200, 101, 40), (50, 45, 40), (1, 3, 3)],
    ids=["few steps", "many", "fewer images than a batch", "one image"],
)
def test_a_recipe_of_steps_takes_them_however_many_images_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, images: int, steps: int, epochs: int
) -> None:
    taken: list[int] = []

    def step(self: Fit, x: Tensor, labels: Tensor) -> Tensor:
        taken.append(len(x))
        return torch.zeros(())

    monkeypatch.setattr(Fit, "_step", step)
    recipe = data.load("digits").teachers.recipe_for("cnn3_16", {"steps": steps, "images": images, "batch": 64})
    training = Fit(networks.build("cnn3_16", 10, 1), data.load("digits"), recipe, CPU, tmp_path / "training.pt", "")
    said: list[str] = []
    training.run(said.append)
    assert taken == [min(64, images)] * steps
    assert len(said) == epochs


def test_every_image_has_its_turn_before_one_comes_again(tmp_path: Path) -> None:
    recipe = data.load("digits").teachers.recipe_for("cnn3_16", {"steps": 10, "images": 30, "batch": 10})
    training = Fit(networks.build("cnn3_16", 10, 1), data.load("digits"), recipe, CPU, tmp_path / "training.pt", "")
    training.epochs = 1
    numbers = torch.cat(training._batches(torch.Generator().manual_seed(0)))
    for first in range(0, 90, 30):
        assert sorted(numbers[first : first + 30].tolist()) == list(range(30))
    assert len(numbers) == 100


def test_the_rate_falls_along_the_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    monkeypatch.setattr(Fit, "_step", lambda *_: torch.zeros(()))
    monkeypatch.setattr("harness.teachers.fit.set_learning_rate", lambda _, rate: rates.append(rate))
    changes = {"steps": 4, "images": 20, "milestones": [0.5], "lr": 1.0}
    recipe = data.load("digits").teachers.recipe_for("cnn3_16", changes)
    Fit(networks.build("cnn3_16", 10, 1), data.load("digits"), recipe, CPU, tmp_path / "x.pt", "").run(lambda _: None)
    assert rates == pytest.approx([1.0, 1.0, 0.1, 0.1])


def test_a_stopped_training_of_another_teacher_is_not_gone_on_with(tmp_path: Path) -> None:
    fit(tmp_path / "one")._save()
    (tmp_path / "other").mkdir()
    (tmp_path / "one" / "training.pt").replace(tmp_path / "other" / "training.pt")
    said: list[str] = []
    fit(tmp_path / "other").run(said.append)
    assert said[0].startswith("epoch 1/")


def test_every_label_of_an_image_counts() -> None:
    logits = torch.zeros(2, 300, dtype=torch.float64)
    assert focal_loss(logits, torch.tensor([255, 3]), 0.0).item() == pytest.approx(math.log(300), rel=1e-12)


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


NETS = """
from torch import nn

def tiny(classes, channels):
    return nn.Sequential(nn.Flatten(), nn.Linear(64 * channels, 8), nn.ReLU(), nn.Linear(8, classes))
"""


@pytest.mark.parametrize(("change", "resumed"), [("nn.ReLU()", True), ("nn.Tanh()", False)])
def test_a_training_goes_on_with_the_code_that_began_it(
    change: str, resumed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("harness.teachers.fit.CHECKPOINT_SECONDS", 0.0)
    nets, said = tmp_path / "nets.py", list[str]()
    nets.write_text(NETS, encoding="utf-8")

    def stop(line: str) -> None:
        if "epoch 2/" in line:
            raise KeyboardInterrupt

    def begin(report: Callable[[str], object]) -> None:
        train.train("digits", f"{nets}:tiny", results=tmp_path / "results", changes=SHORT, report=report)

    with pytest.raises(KeyboardInterrupt):
        begin(stop)
    nets.write_text(NETS.replace("nn.ReLU()", change), encoding="utf-8")
    code.forget()
    begin(said.append)
    assert any("resumed after epoch" in line for line in said) == resumed


def test_another_backbone_is_another_origin(tmp_path: Path) -> None:
    one, other = tmp_path / "one.pth", tmp_path / "other.pth"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    origins = [train._origin("deeplabv3_resnet50", file) for file in (None, one, other, one)]
    assert len(set(origins)) == 3
    assert origins[1] == origins[3]
