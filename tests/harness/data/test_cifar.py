"""CIFAR from both editions, written by the test in the official formats, and the real one where it is there."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torchvision

from harness import data
from harness.data import cifar
from harness.data.cifar import CIFAR10, CIFAR100, Cifar, Reader
from harness.data.dataset import reference_images
from harness.errors import UserError

SMALL = {"cifar10": CIFAR10, "cifar100": CIFAR100}


def pixels(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 3, 32, 32), dtype=np.uint8)


def digest(path: Path, algorithm: str) -> str:
    return hashlib.new(algorithm, path.read_bytes()).hexdigest()


def binary(folder: Path, which: Cifar, label: int = 0) -> Cifar:
    """Small files in the binary format; the description with their checksums."""
    place, changed = folder / which.binary, {}
    place.mkdir(parents=True)
    for part in ("train", "test"):
        sums = {}
        for seed, name in enumerate(getattr(which, part)):
            with (place / name).open("wb") as file:
                for i, image in enumerate(pixels(5, seed)):
                    file.write(bytes([99] * (which.label_bytes - 1) + [(label + i) % 256]) + image.tobytes())
            sums[name] = digest(place / name, "sha1")
        changed[part] = sums
    return dataclasses.replace(which, **changed)


def python(folder: Path, monkeypatch: pytest.MonkeyPatch, which: Cifar) -> None:
    """Small files in the Python format, whose checksums torchvision is told."""
    edition = getattr(torchvision.datasets, which.torchvision)
    place = folder / edition.base_folder
    place.mkdir(parents=True)
    key = "labels" if which is CIFAR10 else "fine_labels"

    def write(name: str, content: dict[str, Any]) -> str:
        (place / name).write_bytes(pickle.dumps(content))
        return digest(place / name, "md5")

    for attribute in ("train_list", "test_list"):
        listed = [
            [name, write(name, {"data": pixels(5, seed).reshape(5, -1), key: [1, 2, 3, 4, 5]})]
            for seed, (name, _) in enumerate(getattr(edition, attribute))
        ]
        monkeypatch.setattr(edition, attribute, listed)
    meta = {edition.meta["key"]: ["name"] * len(which.classes)}
    monkeypatch.setattr(edition, "meta", {**edition.meta, "md5": write(edition.meta["filename"], meta)})


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_the_binary_version(tmp_path: Path, name: str) -> None:
    which = binary(tmp_path, SMALL[name])
    reader = Reader(which, tmp_path, verify=True)
    found = reader.read(train=True)
    assert found.images.shape == (5 * len(which.train), 3, 32, 32)
    assert found.images.dtype == torch.uint8
    assert found.labels.dtype == torch.int64
    expected = np.concatenate([pixels(5, seed) for seed in range(len(which.train))])
    assert np.array_equal(found.images.numpy(), expected)
    assert found.labels.tolist() == [0, 1, 2, 3, 4] * len(which.train)
    assert len(reader.read(train=False).images) == 5 * len(which.test)


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_the_python_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    python(tmp_path, monkeypatch, SMALL[name])
    found = Reader(SMALL[name], tmp_path, verify=True).read(train=False)
    assert np.array_equal(found.images.numpy(), pixels(5))
    assert found.images.is_contiguous()
    assert found.labels.tolist() == [1, 2, 3, 4, 5]
    cifar.download(name, tmp_path)  # nothing to fetch


def test_a_changed_byte_is_named_with_its_remedy(tmp_path: Path) -> None:
    which = binary(tmp_path, CIFAR10)
    path = tmp_path / which.binary / "data_batch_3.bin"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    expected = which.train["data_batch_3.bin"]
    with pytest.raises(UserError, match=f"data_batch_3.bin: sha1 {digest(path, 'sha1')}, expected {expected}") as error:
        Reader(which, tmp_path, verify=True).require()
    assert "dkd prepare cifar10" in str(error.value)
    assert "verify: false" in str(error.value)
    assert len(Reader(which, tmp_path, verify=False).read(train=True).images) == 25


def test_a_changed_pickle_is_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python(tmp_path, monkeypatch, CIFAR10)
    (tmp_path / "cifar-10-batches-py/test_batch").write_bytes(pickle.dumps({"data": 1}))
    for verify in (True, False):
        with pytest.raises(UserError, match=r"test_batch: md5 [\s\S]* can execute code"):
            Reader(CIFAR10, tmp_path, verify).read(train=False)


def test_the_python_version_is_wanted_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python(tmp_path, monkeypatch, CIFAR10)
    (tmp_path / "cifar-10-batches-py/batches.meta").unlink()
    with pytest.raises(UserError, match=r"batches\.meta: missing"):
        Reader(CIFAR10, tmp_path, verify=True).read(train=False)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda path: path.unlink(), r"test_batch\.bin: missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), r"15364 bytes are no images of 3073 bytes each"),
        (lambda path: path.write_bytes(b""), r"0 bytes are no images"),
    ],
)
def test_damaged_files_are_noticed_without_checksums_too(tmp_path: Path, damage: Any, problem: str) -> None:
    which = binary(tmp_path, CIFAR10)
    damage(tmp_path / which.binary / "test_batch.bin")
    with pytest.raises(UserError, match=problem):
        Reader(which, tmp_path, verify=False).read(train=False)


def test_no_files_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DKD_DATA", str(tmp_path))
    with pytest.raises(UserError, match=r"cifar-100-python/train: missing\n  `dkd prepare cifar100` fetches it"):
        data.load("cifar100").require()


def test_a_download_that_fails_says_what_else_can_be_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", (tmp_path / "nothing").as_uri())
    with pytest.raises(UserError, match=r"cifar10 cannot be downloaded: [\s\S]*without a network, copy"):
        cifar.download("cifar10", tmp_path)


REAL = pytest.mark.skipif(
    not (data.folder() / CIFAR10.binary).is_dir(), reason="no real CIFAR-10 in the folder that DKD_DATA names"
)


@REAL
def test_the_real_cifar_10() -> None:
    loaded = data.load("cifar10", verify=False)
    train, test = loaded.train(), loaded.test()
    assert [len(part.images) for part in (train, test)] == [50_000, 10_000]
    assert train.labels.bincount().tolist() == [5000] * 10
    mean = (train.images.double() / 255).mean(dim=(0, 2, 3))
    assert mean.tolist() == pytest.approx(loaded.task.mean, abs=5e-4)
    assert reference_images(loaded, 500).labels.bincount().tolist() == [50] * 10


@pytest.mark.skipif(not (data.folder() / "cifar-100-python").is_dir(), reason="no real CIFAR-100 in DKD_DATA")
def test_the_real_cifar_100() -> None:
    loaded = data.load("cifar100")
    loaded.require()
    train = loaded.train()
    assert train.labels.bincount().tolist() == [500] * 100
    assert (train.images.double() / 255).std(dim=(0, 2, 3)).tolist() == pytest.approx(loaded.task.std, abs=5e-4)


def test_classes_are_called_what_the_official_files_call_them() -> None:
    """The fine names of CIFAR-100 are in the order of the alphabet; those of CIFAR-10 stand in a text file."""
    names = data.load("cifar100").task.class_names
    assert names == tuple(sorted(set(names)))
    assert (len(names), names[0], names[-1]) == (100, "apple", "worm")
    official = data.folder() / CIFAR10.binary / "batches.meta.txt"
    if official.is_file():
        assert data.load("cifar10").task.class_names == tuple(official.read_text(encoding="ascii").split())


def test_a_known_picture_has_its_class_name() -> None:
    """The first test image of CIFAR-10 is the cat of every tutorial."""
    try:
        cifar10 = data.load("cifar10")
        first = int(cifar10.test().labels[0])
    except UserError:
        pytest.skip("CIFAR-10 is not here")
    assert cifar10.task.class_names[first] == "cat"
