"""Folders as ImageNet's, in little: Tiny-ImageNet's with a teacher of its own, and one whose teacher comes from it.

At 64 pixels and at 80, where generators are those of 224, with the presets for ImageNet.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.commands import validate
from harness.data import identity, own_copy
from harness.errors import UserError
from harness.grid import grid
from harness.run.runner import run_cell
from harness.store import reading
from harness.store.layout import RunFolder
from harness.store.records import Manifest, Metrics
from harness.teachers import foreign, train
from tests.pictures import CLASSES, as_tiny_imagenet, draw

STUDY = """\
study: {name}
dataset: {dataset}
device: cpu
pairs: [{{teacher: cnn3_16, student: cnn3_16}}]
scales: [50]
seeds: [0]
budget: {{steps: 8, epochs: 2, batch: 4}}
methods:
  deepinversion: {{preset: imagenet, inner_steps: 2, inversion_batch: 9}}
  fast-50: {{method: fast, preset: imagenet, inner_steps: 2, inversion_batch: 9, generator_width: 2, nz: 4}}
"""
TINY = "{name: tiny-imagenet, folder: tiny, size: 64}"
TOLD = (
    "{name: imagenet, folder: large, reference_size: 36, classes: 3, size: 80, resize: 96, channels: 3, "
    "mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225], pad: 4}"
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "data"))
    forget()
    return tmp_path


def forget() -> None:
    identity.forget()
    own_copy._of.cache_clear()


def study(home: Path, name: str, dataset: str) -> Path:
    file = home / f"{name}.yaml"
    file.write_text(STUDY.format(name=name, dataset=dataset), encoding="utf-8")
    return file


def carry_out(file: Path, results: Path) -> list[tuple[Metrics, Manifest]]:
    """All cells of a study, with what their manifests say."""
    validate.validate(file, lambda _: None)
    found = []
    for cell in grid.load_grid(file).cells:
        metrics = run_cell(cell, results=results)
        folder = RunFolder(results / metrics.cell / "runs" / metrics.key)
        found.append((metrics, reading.read(folder.manifest, Manifest)))
    return found


def test_from_the_folders_to_the_students(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    results, tiny = home / "results", study(home, "tiny", TINY)
    as_tiny_imagenet(home / "tiny", CLASSES, each=12, size=64)
    (own,) = grid.load_grid(tiny).own.values()
    teacher = train.train(own, "cnn3_16", results=results, changes={"steps": 40}, report=lambda _: None)
    assert (teacher.dataset, teacher.value > 70) == ("tiny-imagenet", True)
    for metrics, manifest in carry_out(tiny, results):
        assert (metrics.status, metrics.images, metrics.class_names) == ("done", 18, list(CLASSES))
        assert manifest.attempts[0].placing is not None
        assert manifest.attempts[0].placing.startswith("on the device: 18 images take 0 MiB of ")

    large = study(home, "large", TOLD)
    with pytest.raises(UserError, match="no such folder"):
        validate.validate(large, lambda _: None)
    draw(home / "large" / "val", range(12, 18), size=96)
    forget()
    (told,) = grid.load_grid(large).own.values()
    (weights,) = results.glob("**/teacher*.safetensors")
    shutil.copy(weights, home / "weights.safetensors")
    take = {"results": results, "changes": {"floor": 0.0}}  # it knows smaller pictures
    foreign.take(told, "cnn3_16", home / "weights.safetensors", report=lambda _: None, **take)
    monkeypatch.setattr("harness.run.session.device_memory", lambda device: 1)
    for metrics, manifest in carry_out(large, results):
        assert (metrics.status, metrics.images) == ("done", 18)
        placing = "in main memory, copied batch by batch: 18 images take 0 MiB, more than the 0 MiB that they may there"
        assert manifest.attempts[0].placing == placing
    with pytest.raises(UserError, match="with `reference_size` no training image is read"):
        train.train(told, "cnn3_16", name="mine", results=results, changes={"steps": 1}, report=lambda _: None)
