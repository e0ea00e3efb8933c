"""Arrays in an npz file: the layouts that people have, and what is said of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.data import arrays
from harness.errors import UserError

GREY = np.random.default_rng(0).integers(0, 256, (4, 8, 6), dtype=np.uint8)
RGB = np.random.default_rng(1).integers(0, 256, (4, 8, 6, 3), dtype=np.uint8)
LABELS = np.array([0, 1, 0, 1])


def written(folder: Path, **changes: Any) -> Path:
    content = {"images": GREY, "labels": LABELS, **changes}
    np.savez(folder / "mine.npz", **{name: value for name, value in content.items() if value is not None})
    return folder / "mine.npz"


@pytest.mark.parametrize(
    ("images", "expected"),
    [(GREY, GREY[..., None]), (GREY[:, None], GREY[..., None]), (RGB, RGB), (RGB.transpose(0, 3, 1, 2), RGB)],
    ids=["grey", "one channel", "channels last", "channels first"],
)
def test_layouts(tmp_path: Path, images: np.ndarray, expected: np.ndarray) -> None:
    parts, names = arrays.read(written(tmp_path, images=images))
    assert list(parts) == [""]
    assert np.array_equal(parts[""].images, expected)
    assert parts[""].labels.tolist() == [0, 1, 0, 1]
    assert names == ("0", "1")


def test_a_test_part_and_names(tmp_path: Path) -> None:
    more = {"test_images": GREY[:2], "test_labels": np.array([1, 0], np.uint8), "class_names": np.array(["no", "yes"])}
    parts, names = arrays.read(written(tmp_path, **more))
    assert names == ("no", "yes")
    assert {part: content.labels.tolist() for part, content in parts.items()} == {"train": [0, 1, 0, 1], "test": [1, 0]}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"images": None}, "no array images; there is labels"),
        ({"labels": None}, "no array labels; there is images"),
        ({"test_images": GREY}, "no array test_labels"),
        ({"x_train": GREY}, "an array x_train, which nothing asks for"),
        ({"images": GREY.astype(np.float32)}, r"images are float32 of shape \[4, 8, 6\]"),
        ({"images": GREY.astype(np.int64)}, "images are int64"),
        ({"images": GREY[0]}, r"images are uint8 of shape \[8, 6\]"),
        ({"images": RGB[..., :2]}, "neither 1 nor 3 channels"),
        ({"images": GREY[:3]}, "3 images, but 4 labels"),
        ({"images": GREY[:0], "labels": LABELS[:0]}, "0 images, but 0 labels"),
        ({"labels": LABELS.astype(float)}, "labels are float64"),
        ({"labels": LABELS[:, None]}, r"labels are int64 of shape \[4, 1\]"),
        ({"labels": LABELS + 1}, "no image of class 0 in labels, whose numbers go from 1 to 2"),
        ({"labels": LABELS * 2}, "no image of class 1 in labels"),
        ({"labels": LABELS - 1}, "labels from -1 to 0, but 1 class names"),
        ({"class_names": np.array(["a"])}, "labels from 0 to 1, but 1 class names"),
        ({"class_names": np.array(["a", "b", "c"])}, "no image of class 2"),
        ({"class_names": np.array([1, 2])}, "class_names are int64"),
        ({"class_names": np.array(["a", None], object)}, "class_names cannot be read: .*Python objects"),
        ({"labels": np.array([0, 1, 0, {}], object)}, "labels cannot be read: .*Python objects"),
        ({"test_images": GREY, "test_labels": LABELS * 0}, "no image of class 1 in test_labels"),
    ],
)
def test_other_arrays_are_named(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError, match=problem) as caught:
        arrays.read(written(tmp_path, **changes))
    assert "np.savez(FILE, images=..., labels=...)" in str(caught.value)


def test_files_that_are_none(tmp_path: Path) -> None:
    for content in (b"", b"PK\x03\x04", written(tmp_path).read_bytes()[:-40], bytes(100)):
        (tmp_path / "half.npz").write_bytes(content)
        with pytest.raises(UserError, match="no npz file that can be read"):
            arrays.read(tmp_path / "half.npz")
    np.save(tmp_path / "one.npy", GREY)
    with pytest.raises(UserError, match="a single array"):
        arrays.read(tmp_path / "one.npy")
    with pytest.raises(UserError, match="no such file"):
        arrays.read(tmp_path / "nothing.npz")
    with pytest.raises(UserError, match="`folder: PATH` takes folders"):
        arrays.read(tmp_path)
