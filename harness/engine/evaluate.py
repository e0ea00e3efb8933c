"""The evaluator: the only code that opens a test set, a student's, a teacher's and the contract test's alike."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from harness.data.dataset import Dataset
from harness.engine import precision
from methods.base.task import IGNORED, Task, ignored
from methods.parts.images import Normaliser

BATCH, DENSE_BATCH = 1000, 16
PIXELS = BATCH * 64 * 64
"""Of the images of a batch at most: larger ones come in smaller batches, 81 of 224 × 224."""


@dataclass(frozen=True)
class Score:
    """A student on the test set, in percent."""

    metric: float
    """Top-1 accuracy; in dense tasks the mean intersection over union."""
    agreement: float
    """Share of samples, or of pixels that count, on which it predicts the same class as the teacher."""


class Evaluator:
    """Holds the test set and the teacher's predictions on it, on the device."""

    def __init__(self, dataset: Dataset, teacher: nn.Module, device: torch.device) -> None:
        self.task, self._normalise = dataset.task, Normaliser(dataset.task, device)
        test = dataset.test()
        self._kind = torch.uint8 if self.task.dense else torch.int16
        self._images, self._labels = test.images.to(device), test.labels.to(device, self._kind)
        self._counted = self._labels != ignored(self._labels)
        self._teacher = self.predict(teacher)

    def __call__(self, student: nn.Module) -> Score:
        """Score a student; its mode is left as it was."""
        predicted = self.predict(student)
        return Score(self._metric(predicted), self._share(predicted == self._teacher))

    @property
    def teacher(self) -> float:
        """The teacher's own metric, in percent."""
        return self._metric(self._teacher)

    @property
    def images(self) -> int:
        """How many images the test set has."""
        return len(self._images)

    @property
    def chance(self) -> float:
        """Percent that a network may reach which has learned nothing.

        Guessing one of C classes hits 1/C of n images, with three binomial deviations for its luck. The mean IoU of
        any guess that does not look at the image is at most 1/C too, and over millions of pixels there is no luck.
        """
        share = 1 / self.task.classes
        luck = 0.0 if self.task.dense else 3 * (share * (1 - share) / len(self._labels)) ** 0.5
        return 100 * (share + luck)

    @torch.no_grad()
    def predict(self, network: nn.Module) -> Tensor:
        """Predicted class of every test image or pixel, network in evaluation mode, in fp32.

        int16 [n], or uint8 [n, H, W].
        """
        training = {module: module.training for module in network.modules()}
        network.eval()
        batches = self._images.split(batch_size(self.task))
        with precision.full():
            logits = (network(self._normalise(images.float() / 255)) for images in batches)
            predicted = torch.cat([batch.argmax(dim=1).to(self._kind) for batch in logits])
        for module, mode in training.items():
            module.training = mode
        return predicted

    def _metric(self, predicted: Tensor) -> float:
        if self.task.dense:
            return mean_iou(predicted, self._labels, self.task.classes)
        return self._share(predicted == self._labels)

    def _share(self, hits: Tensor) -> float:
        """Percent of what counts."""
        return 100.0 * float((hits & self._counted).sum().double() / self._counted.sum())


def check(dataset: Dataset) -> None:
    """Raise UserError unless all files are there and intact, and all images and labels are those of the Task."""
    dataset.require()
    if dataset.trains:
        dataset.train()
    dataset.test()


def batch_size(task: Task) -> int:
    """Images per forward pass that evaluates."""
    return DENSE_BATCH if task.dense else max(1, min(BATCH, PIXELS // (task.shape[1] * task.shape[2])))


def metric_name(task: Task) -> str:
    """``miou`` for dense tasks, ``top1`` for the others."""
    return "miou" if task.dense else "top1"


def mean_iou(predicted: Tensor, labels: Tensor, classes: int) -> float:
    """Intersection over union of every class over all pixels, mean over the classes that occur, in percent.

    Args:
        predicted: classes [n, H, W].
        labels: the same, 255 where a pixel does not count.
        classes: how many there are; one that is neither labelled nor predicted anywhere is left out, as in DFAD's code.
    """
    counted = labels != IGNORED
    pairs = labels[counted].long() * classes + predicted[counted].long()
    confusion = torch.bincount(pairs, minlength=classes**2).view(classes, classes).double()
    hits = confusion.diagonal()
    union = confusion.sum(dim=0) + confusion.sum(dim=1) - hits
    return 100.0 * float((hits / union)[union > 0].mean())
