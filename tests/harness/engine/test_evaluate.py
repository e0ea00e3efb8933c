"""What a student scores, against counts made by hand."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor, nn

from harness import data
from harness.data.dataset import Dataset
from harness.engine.evaluate import Evaluator, Score, mean_iou
from methods.base.task import RealImages, Task

CPU = torch.device("cpu")
TASK = Task(classes=3, shape=(1, 1, 2), mean=(0.0,), std=(1.0,), pad=0, flip=False, reference_size=4)


class Says(nn.Module):
    """Predicts the class that its table has for a pixel's value; counts its calls and sees its own mode."""

    def __init__(self, *answers: int) -> None:
        super().__init__()
        self.answers, self.modes = torch.tensor(answers), []

    def forward(self, x: Tensor) -> Tensor:
        self.modes.append(self.training)
        value = (x * 255).round().long()[:, 0, 0, 0]
        return nn.functional.one_hot(self.answers[value], 3).float()


class SaysPixels(Says):
    """The same for every pixel."""

    def forward(self, x: Tensor) -> Tensor:
        value = (x * 255).round().long()[:, 0]
        return nn.functional.one_hot(self.answers[value], 3).float().permute(0, 3, 1, 2)


def refuse() -> RealImages:
    raise AssertionError("the evaluator opens the test set alone")


def dataset(images: Tensor, labels: Tensor, **changes: object) -> Dataset:
    task = dataclasses.replace(TASK, **changes)  # type: ignore[arg-type]
    return Dataset(task, data.load("digits").teachers, train=refuse, test=lambda: RealImages(images, labels))


def test_accuracy_and_agreement() -> None:
    images = torch.tensor([0, 1, 2, 3], dtype=torch.uint8)[:, None, None, None].expand(4, 1, 1, 2)
    test = dataset(images, torch.tensor([0, 1, 2, 0]))
    teacher, student = Says(0, 1, 1, 1), Says(0, 1, 1, 0).train()
    score = Evaluator(test, teacher, CPU)(student)
    assert (score.metric, score.agreement) == (75.0, 75.0)
    assert student.training
    assert student.modes == [False]
    assert Evaluator(test, teacher, CPU)(teacher).metric == 50.0


def test_every_module_is_left_in_its_mode() -> None:
    images = torch.zeros(2, 1, 1, 2, dtype=torch.uint8)
    frozen = nn.BatchNorm2d(1).eval()
    student = nn.Sequential(frozen, Says(0, 1)).train()
    frozen.eval()
    Evaluator(dataset(images, torch.tensor([0, 0])), Says(0, 1), CPU)(student)
    assert [module.training for module in student.modules()] == [True, False, True]


def test_a_thousand_classes_of_large_images_in_batches_of_as_many_pixels() -> None:
    """Labels on both sides of what a byte holds, 255 among them; 2,000 pixels each way make batches of one."""
    labels = torch.tensor([0, 255, 256, 999])
    images = torch.arange(4, dtype=torch.uint8)[:, None, None, None].expand(4, 1, 2000, 2000)
    test = dataset(images, labels, classes=1000, shape=(1, 2000, 2000))

    class SaysOneOfMany(Says):
        def forward(self, x: Tensor) -> Tensor:
            self.modes.append(self.training)
            value = (x * 255).round().long()[:, 0, 0, 0]
            return nn.functional.one_hot(self.answers[value], 1000).float()

    teacher, student = SaysOneOfMany(0, 255, 256, 999), SaysOneOfMany(0, 255, 0, 743)  # 743 is 999 in a byte
    evaluator = Evaluator(test, teacher, CPU)
    assert evaluator.teacher == 100.0
    assert evaluator(student) == Score(50.0, 50.0)
    assert len(student.modes) == 4


def test_what_chance_reaches_grows_with_luck_alone() -> None:
    """Of 3 classes and 200 images 33.3 %, with three deviations of sqrt(p (1 - p) / n) = 3.33 %."""
    labels = torch.zeros(200, dtype=torch.long)
    images = torch.zeros(200, 1, 1, 2, dtype=torch.uint8)
    assert Evaluator(dataset(images, labels), Says(0), CPU).chance == pytest.approx(33.3333 + 10.0, abs=1e-3)
    pixels = dataset(images[:4], labels[:4, None, None].expand(4, 1, 2), dense=True)
    assert Evaluator(pixels, SaysPixels(0), CPU).chance == pytest.approx(33.3333, abs=1e-3)


def test_pixels_that_do_not_count() -> None:
    """Four pixels with labels 0, 0, 1, 255; class 2 is neither labelled nor predicted where it counts."""
    images = torch.tensor([[[[0, 1]]], [[[2, 3]]]], dtype=torch.uint8)
    test = dataset(images, torch.tensor([[[0, 0]], [[1, 255]]], dtype=torch.uint8), dense=True)
    teacher, student = SaysPixels(0, 0, 1, 0), SaysPixels(0, 1, 1, 2)
    score = Evaluator(test, teacher, CPU)(student)
    assert score.metric == pytest.approx(100 * (1 / 2 + 1 / 2) / 2)  # class 0: 1 of 2; class 1: 1 of 2
    assert score.agreement == pytest.approx(100 * 2 / 3)


def test_mean_iou_leaves_out_classes_that_do_not_occur() -> None:
    labels, predicted = torch.tensor([[[0, 1, 1, 3]]]), torch.tensor([[[0, 1, 2, 3]]])
    # class 0: 1/1, class 1: 1/2, class 2: 0/1, class 3: 1/1, class 4 is nowhere
    assert mean_iou(predicted, labels, 5) == pytest.approx(100 * 2.5 / 4)
