"""NYUv2's folder: made from small files in the official formats, read, damaged; and the real one where it is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat

from harness import data
from harness.commands.contract import tiny_cell
from harness.data import nyuv2
from harness.data.dataset import reference_images
from harness.data.prepare import Sources, prepare
from harness.errors import UserError
from harness.run.runner import run_cell
from harness.teachers import train
from methods.base.pair import Pair

HEIGHT, WIDTH = 288, 384
TRAIN, TEST = [2, 5, 6], [1, 4]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and a dataset of three and two images."""
    monkeypatch.setenv("DKD_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(nyuv2, "COUNTS", {"train": len(TRAIN), "test": len(TEST)})
    return tmp_path / "data"


def pixels(number: int) -> np.ndarray:
    return np.random.default_rng(number).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def classes_894(number: int) -> np.ndarray:
    """0 is unlabelled; class c of this file is c among the 40, for c up to 40."""
    return np.random.default_rng(100 + number).integers(0, 41, (HEIGHT, WIDTH)).astype(np.uint16)


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    """Files of the same structure as the official ones; image 3 belongs to neither part."""
    with h5py.File(tmp_path / "nyu_depth_v2_labeled.mat", "w") as file:
        file["images"] = np.stack([pixels(n).transpose(2, 1, 0) for n in range(1, 7)])
        file["labels"] = np.stack([classes_894(n).T for n in range(1, 7)])
    column = [np.array(part, dtype=np.uint16)[:, None] for part in (TRAIN, TEST)]
    savemat(tmp_path / "splits.mat", {"trainNdxs": column[0], "testNdxs": column[1]})
    savemat(tmp_path / "classMapping40.mat", {"mapClass": np.array([*range(1, 41), *[40] * 854])[None]})
    return Sources(*(tmp_path / name for name in ("nyu_depth_v2_labeled.mat", "splits.mat", "classMapping40.mat")))


NAMES_40 = (
    "wall floor cabinet bed chair sofa table door window bookshelf picture counter blinds desk shelves curtain dresser",
    "pillow mirror floor-mat clothes ceiling books fridge tv paper towel shower-curtain box whiteboard person",
    "night-stand toilet sink lamp bathtub bag structure furniture prop",
)
MEMBERS = {
    "bed": "bed",
    "books": "books",
    "ceiling": "ceiling",
    "chair": "chair",
    "floor": "floor floor-mat",
    "furniture": "cabinet bookshelf counter shelves dresser fridge night-stand furniture",
    "objects": "",
    "picture": "picture",
    "sofa": "sofa",
    "table": "table desk",
    "tv": "tv",
    "wall": "wall door",
    "window": "window blinds curtain",
}
"""Couprie et al., in order and by name; all others are objects."""


def class_13(label: int) -> int:
    """What a label of these files is among the 13."""
    if label == 0:
        return 255
    name = " ".join(NAMES_40).split()[label - 1]
    owner = next((owner for owner, names in MEMBERS.items() if name in names.split()), "objects")
    return list(MEMBERS).index(owner)


def test_prepared_folder_holds_the_official_images_and_13_classes(folder: Path, sources: Sources) -> None:
    said: list[str] = []
    prepare("nyuv2", sources, said.append)
    assert "nyuv2: 5/5 images" in said
    for part, numbers in (("train", TRAIN), ("test", TEST)):
        assert sorted(p.name for p in (folder / "nyuv2" / part / "image").glob("*")) == [
            f"{n:04d}.png" for n in numbers
        ]
        for n in numbers:
            assert np.array_equal(np.asarray(Image.open(folder / f"nyuv2/{part}/image/{n:04d}.png")), pixels(n))
            labels = np.asarray(Image.open(folder / f"nyuv2/{part}/label13/{n:04d}.png"))
            assert np.array_equal(labels, np.vectorize(class_13)(classes_894(n)))
    lines = (folder / "nyuv2/SHA256SUMS").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 10
    assert lines[0].endswith("  test/image/0001.png")


def test_a_stopped_preparation_goes_on(folder: Path, sources: Sources) -> None:
    prepare("nyuv2", sources, lambda _: None)
    made = folder / "nyuv2/train/image/0002.png"
    before = made.stat().st_mtime_ns
    (folder / "nyuv2/train/label13/0005.png").unlink()
    (folder / "nyuv2/SHA256SUMS").unlink()
    prepare("nyuv2", sources, lambda _: None)
    assert made.stat().st_mtime_ns == before
    data.load("nyuv2").require()


def test_damage_is_repaired_from_the_official_file_and_never_blessed(folder: Path, sources: Sources) -> None:
    prepare("nyuv2", sources, lambda _: None)
    path = folder / "nyuv2/train/image/0002.png"
    whole = path.read_bytes()
    path.write_bytes(whole[:-50])
    with pytest.raises(UserError, match=r"0002\.png: sha256"):
        prepare("nyuv2", None, lambda _: None)
    prepare("nyuv2", sources, lambda _: None)
    assert np.array_equal(np.asarray(Image.open(path)), pixels(2))


@pytest.mark.parametrize("form", ["{digest}  ./{name}", "{digest} *{name}", "\n{digest}  {name}"])
def test_manifests_as_sha256sum_writes_them(folder: Path, sources: Sources, form: str) -> None:
    prepare("nyuv2", sources, lambda _: None)
    manifest = folder / "nyuv2/SHA256SUMS"
    pairs = [line.split() for line in manifest.read_text(encoding="utf-8").splitlines()]
    manifest.write_text(
        "".join(form.format(digest=digest, name=name) + "\n" for digest, name in pairs), encoding="utf-8"
    )
    data.load("nyuv2").require()
    (folder / "nyuv2/test/image/0001.png").write_bytes(b"other")
    with pytest.raises(UserError, match=r"0001\.png: sha256"):
        data.load("nyuv2").require()
    manifest.write_text("".join(f"{digest}  {name}\n" for digest, name in pairs[1:]), encoding="utf-8")
    with pytest.raises(UserError, match=r"expected a line in SHA256SUMS"):
        data.load("nyuv2").require()


def test_what_is_read(folder: Path, sources: Sources) -> None:
    prepare("nyuv2", sources, lambda _: None)
    loaded = data.load("nyuv2")
    test = loaded.test()
    assert test.images.shape == (2, 3, 256, 341)
    assert test.labels.shape == (2, 256, 341)
    assert test.images.dtype == test.labels.dtype == torch.uint8
    small = Image.fromarray(pixels(1)).resize((341, 256), Image.Resampling.BILINEAR)
    assert np.array_equal(test.images[0].permute(1, 2, 0).numpy(), np.asarray(small))
    assert set(test.labels.unique().tolist()) == {*range(13), 255}


def test_references_learn_from_windows_of_all_images(folder: Path, sources: Sources) -> None:
    prepare("nyuv2", sources, lambda _: None)
    loaded = data.load("nyuv2")
    whole = loaded.train()
    many, few = reference_images(loaded, 7), reference_images(loaded, 4)
    assert many.images.shape == (7, 3, 128, 128)
    assert many.labels.shape == (7, 128, 128)
    assert torch.equal(many.images[:4], few.images)
    owners = [owner(image, label, whole) for image, label in zip(many.images, many.labels, strict=True)]
    assert sorted(owners[:3]) == sorted(owners[3:6]) == [0, 1, 2]
    assert len({tuple(image.flatten()[:50].tolist()) for image in many.images}) == 7


def owner(image: torch.Tensor, label: torch.Tensor, whole: Any) -> int:
    """Which image a window comes from; its labels must come from the same place."""
    for index, candidate in enumerate(whole.images):
        corners = (candidate[:, :129, :214] == image[:, :1, :1]).all(dim=0).nonzero()
        for top, left in corners.tolist():
            if torch.equal(candidate[:, top : top + 128, left : left + 128], image):
                assert torch.equal(whole.labels[index, top : top + 128, left : left + 128], label)
                return index
    raise AssertionError("no such window")


def spoil_label(folder: Path) -> None:
    Image.fromarray(np.full((HEIGHT, WIDTH), 13, np.uint8)).save(folder / "nyuv2/test/label13/0001.png")


def shrink(folder: Path) -> None:
    Image.fromarray(pixels(1)[:200]).save(folder / "nyuv2/test/image/0001.png")


def stretch(folder: Path) -> None:
    for kind in ("image", "label13"):
        path = folder / f"nyuv2/test/{kind}/0001.png"
        Image.open(path).resize((400, 288)).save(path)


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (spoil_label, r"label13/0001\.png: label 13, expected 8 bit, 0 to 12 or 255"),
        (shrink, r"image/0001\.png: 384 × 200 pixels, the short side must have 256 or more"),
        (stretch, "images of several sizes"),
        (lambda folder: (folder / "nyuv2/test/image/0004.png").unlink(), "1 labelled images, expected 2"),
    ],
)
def test_damage_is_named(folder: Path, sources: Sources, spoil: Any, problem: str) -> None:
    prepare("nyuv2", sources, lambda _: None)
    spoil(folder)
    with pytest.raises(UserError, match=problem):
        data.load("nyuv2", verify=False).test()
    with pytest.raises(UserError, match=rf"{problem}|sha256 \w+, expected \w+\n  `dkd prepare nyuv2 --from"):
        data.load("nyuv2").require()


def test_without_checksums_it_must_be_said(folder: Path, sources: Sources) -> None:
    prepare("nyuv2", sources, lambda _: None)
    (folder / "nyuv2/SHA256SUMS").unlink()
    with pytest.raises(UserError, match=r"SHA256SUMS: missing\n  `dkd prepare nyuv2 --from"):
        data.load("nyuv2").test()
    assert len(data.load("nyuv2", verify=False).test().images) == 2
    prepare("nyuv2", None, lambda _: None)  # an existing folder
    data.load("nyuv2").require()


@pytest.mark.parametrize("which", ["labelled", "splits", "classes"])
def test_unreadable_sources(folder: Path, sources: Sources, which: str) -> None:
    path = getattr(sources, which)
    path.write_bytes(b"nothing")
    with pytest.raises(UserError, match=path.name):
        prepare("nyuv2", sources, lambda _: None)


@pytest.mark.skipif(not (data.folder() / "nyuv2").is_dir(), reason="no real NYUv2 in the folder that DKD_DATA names")
def test_the_real_nyuv2() -> None:
    loaded = data.load("nyuv2", verify=False)
    test = loaded.test()
    assert test.images.shape == (654, 3, 256, 341)
    assert test.labels[test.labels != 255].max() == 12


def test_whole_runs(folder: Path, sources: Sources, tmp_path: Path) -> None:
    """Teacher, cells and records with the real DeepLab networks; few images, few steps."""
    prepare("nyuv2", sources, lambda _: None)
    results = tmp_path / "results"
    changes = {"epochs": 1, "batch": 2, "floor": 0.0}
    teacher = train.train("nyuv2", "deeplabv3_resnet50", results=results, changes=changes, report=lambda _: None)
    assert teacher.metric == "miou"
    few = {"rounds": 3, "warmup": 1, "inversion_batch": 2, "generator_width": 8}
    for label, more in (("scratch", {}), ("ssd-kd", few)):
        cell = replace(
            tiny_cell(label, {"steps": 8000, "epochs": 1, "batch": 2, **more}),  # 2 steps at 0.025 %, with 4 images
            dataset="nyuv2",
            pair=Pair.of("deeplabv3_resnet50", "deeplabv3_mobilenetv2"),
            teacher_network="deeplabv3_resnet50",
            student_network="deeplabv3_mobilenetv2",
            scale=0.025,
        )
        found = run_cell(cell, results=results)
        assert (found.status, found.metric, found.images, found.steps) == ("done", "miou", 4, 2), found.reason
        assert found.final is not None
        assert 0 <= found.final <= 100
        assert found.class_counts is not None
        assert len(found.class_counts) == 13
        assert (results / cell.name / "runs" / found.key / "samples.png").exists()
