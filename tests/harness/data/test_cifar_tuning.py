"""The split of CIFAR-10 for choosing hyperparameters, on files that the test writes, and on the real ones if there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from harness import data
from harness.data import cifar, cifar_tuning, prepare
from harness.data.cifar import CIFAR10
from harness.errors import UserError

PER_FILE = 4_000


def written(folder: Path) -> np.ndarray:
    """Five files of training images in random order of classes, and one of test images that no part may hold."""
    place, rng = folder / CIFAR10.binary, np.random.default_rng(0)
    place.mkdir(parents=True)
    labels = rng.integers(0, 10, (5, PER_FILE), dtype=np.uint8)
    for number, (name, of_file) in enumerate(zip(CIFAR10.train, labels, strict=True)):
        images = np.arange(number * PER_FILE, (number + 1) * PER_FILE, dtype="<u4").view(np.uint8).reshape(-1, 4)
        images = np.pad(images, ((0, 0), (0, cifar.PIXELS - 4)))  # the first four bytes say which image it is
        (place / name).write_bytes(np.hstack([of_file[:, None], images]).tobytes())
    (place / "test_batch.bin").write_bytes(bytes([0] + [255] * cifar.PIXELS) * 10)
    return labels.ravel()


def numbers(images: torch.Tensor) -> list[int]:
    return images.flatten(1)[:, :4].contiguous().numpy().view("<u4").ravel().tolist()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DKD_DATA", str(tmp_path))
    return tmp_path


def test_the_last_200_of_every_class_stand_in_for_the_test_set(folder: Path) -> None:
    labels = written(folder)
    expected, seen = [], dict.fromkeys(range(10), 0)
    for number in reversed(range(len(labels))):
        seen[int(labels[number])] += 1
        if seen[int(labels[number])] <= 200:
            expected.append(number)
    made = data.load("cifar10-tuning", verify=False)
    train, test = made.train(), made.test()
    assert numbers(test.images) == sorted(expected)
    assert numbers(train.images) == sorted(set(range(len(labels))) - set(expected))
    assert test.labels.tolist() == labels[sorted(expected)].tolist()


def test_it_is_otherwise_cifar10(folder: Path) -> None:
    whole, tuning = data.load("cifar10"), data.load("cifar10-tuning")
    assert tuning.task.reference_size == 48_000
    assert (tuning.task.mean, tuning.task.classes, tuning.task.flip) == (whole.task.mean, 10, True)
    assert (tuning.teachers.published, tuning.teachers.recipe) == ({}, whole.teachers.recipe)
    assert tuning.verified and cifar_tuning.FILES["cifar10-tuning"] == cifar.FILES["cifar10"]


def test_preparing_it_brings_cifar10(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    brought: list[str] = []
    monkeypatch.setattr(cifar, "download", lambda name, folder: brought.append(name))
    with pytest.raises(UserError, match="missing"):  # nothing came
        prepare.prepare("cifar10-tuning")
    assert brought == ["cifar10"]


@pytest.mark.skipif(not (data.folder() / CIFAR10.binary).is_dir(), reason="needs the real CIFAR-10 in DKD_DATA")
def test_the_real_one_has_200_of_each_class() -> None:
    made = data.load("cifar10-tuning")
    assert torch.bincount(made.test().labels).tolist() == [200] * 10
    assert torch.bincount(made.train().labels).tolist() == [4_800] * 10
