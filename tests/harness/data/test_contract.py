"""What a dataset's images and labels must be, and what is said where they are not."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from harness.data import contract
from harness.errors import UserError
from methods.base.task import IGNORED, RealImages, Task

TASK = Task(
    classes=3,
    class_names=("a", "b", "c"),
    shape=(1, 8, 6),
    mean=(0.5,),
    std=(0.25,),
    pad=1,
    flip=False,
    reference_size=10,
)
DENSE = dataclasses.replace(TASK, dense=True)


def images(n: int = 4, *shape: int, kind: torch.dtype = torch.uint8) -> Tensor:
    return torch.zeros(n, *(shape or (1, 8, 6)), dtype=kind)


def check(pixels: Tensor, labels: Tensor, task: Task = TASK) -> None:
    contract.check_images("mine", "test", RealImages(pixels, labels), task)


@pytest.mark.parametrize("kind", [torch.uint8, torch.int64, torch.int32])
def test_what_fits(kind: torch.dtype) -> None:
    check(images(), torch.tensor([0, 2, 1, 0], dtype=kind))
    dense = torch.tensor([0, 2, IGNORED, 1]).view(4, 1, 1).expand(4, 9, 7).to(torch.uint8)
    check(images(4, 1, 9, 7), dense, DENSE)  # larger than the task's: windows are cut from it
    check(images(4, 1, 8, 6), dense[:, :8, :6], DENSE)


@pytest.mark.parametrize(
    ("pixels", "labels", "problem"),
    [
        (images(4, 1, 6, 8), [0] * 4, r"images of shape \(1, 6, 8\), its Task says \(1, 8, 6\)$"),
        (images(4, 1, 9, 9), [0] * 4, r"images of shape \(1, 9, 9\), its Task says \(1, 8, 6\)$"),
        (images(4, 3, 8, 6), [0] * 4, r"images of shape \(3, 8, 6\)"),
        (images(4, 8, 6), [0] * 4, r"images are uint8 of shape \(4, 8, 6\), expected a tensor of uint8"),
        (images(kind=torch.float32), [0] * 4, "images are float32"),
        (images(0), [], "there are no images"),
        (images(), [0, 1, 2], "4 images, but 3 labels"),
        (images(), [1, 2, 3, 1], "labels from 1 to 3, its Task says 3 classes: 0 to 2$"),
        (images(), [0, -1, 0, 0], "labels from -1 to 0, its Task says 3 classes"),
        (images(), [0, 0, 0, IGNORED], "labels from 0 to 255"),
        (images(), [0.0] * 4, r"labels are float32 of shape \(4,\), expected a tensor of whole numbers \[n\]"),
        (images(), [True] * 4, "labels are bool"),
        (images(), [[0]] * 4, r"labels are int64 of shape \(4, 1\)"),
    ],
)
def test_what_does_not_fit_is_named(pixels: Tensor, labels: list[object], problem: str) -> None:
    with pytest.raises(UserError, match=f"dataset mine, test part: {problem}"):
        check(pixels, torch.tensor(labels) if labels else torch.zeros(0, dtype=torch.int64))


@pytest.mark.parametrize(
    ("pixels", "labels", "problem"),
    [
        (images(2, 1, 7, 6), torch.zeros(2, 7, 6, dtype=torch.uint8), r"its Task says \(1, 8, 6\) or larger"),
        (images(2, 1, 9, 9), torch.zeros(2, 9, 8, dtype=torch.uint8), r"images of \(9, 9\) pixels, but labels of"),
        (images(2, 1, 9, 9), torch.full((2, 9, 9), 3), "labels from 3 to 3, .* or 255 where a pixel does not count"),
        (images(2, 1, 9, 9), torch.zeros(2, dtype=torch.int64), r"whole numbers \[n, height, width\]"),
    ],
)
def test_dense_images_that_do_not_fit(pixels: Tensor, labels: Tensor, problem: str) -> None:
    with pytest.raises(UserError, match=problem):
        check(pixels, labels, DENSE)


def test_what_is_no_tensor() -> None:
    with pytest.raises(UserError, match="labels are list"):
        check(images(), [0, 1, 2, 0])  # type: ignore[arg-type]
    with pytest.raises(UserError, match="images are ndarray"):
        check(images().numpy(), torch.zeros(4))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"classes": 1},
        {"classes": 256, "dense": True},
        {"classes": 10_001},
        {"shape": (8, 6)},
        {"shape": (1, 0, 6)},
        {"shape": (2, 8, 6)},
        {"shape": (1, 8, 1025)},
        {"mean": (0.5, 0.5, 0.5)},
        {"std": (0.0,)},
        {"std": ()},
        {"pad": -1},
        {"reference_size": 0},
        {"class_names": ()},
        {"class_names": ("a", "b")},
        {"class_names": ("a", "b", "c", "d")},
        {"class_names": ("a", "b", "a")},
        {"class_names": ("a", "b", "")},
        {"class_names": ("a", "b", " ")},
        {"class_names": ("a", "b", "c\n")},
        {"class_names": ("a", "b", 3)},
    ],
    ids=str,
)
def test_a_task_that_makes_no_sense(change: dict[str, object]) -> None:
    field = next(iter(change))
    with pytest.raises(UserError, match=f"dataset mine: its Task says {field}="):
        contract.check_task("mine", dataclasses.replace(TASK, **change))  # type: ignore[arg-type]
