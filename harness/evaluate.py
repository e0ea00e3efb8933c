"""The evaluator: the only place that opens the test set."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from methods.base import RealImages, Task
from methods.parts.images import Normaliser

BATCH = 1000


@dataclass(frozen=True)
class Score:
    """A student on the test set, in percent."""

    metric: float
    """Top-1 accuracy."""
    agreement: float
    """Share of samples on which it predicts the same class as the teacher."""


class Evaluator:
    """Holds the test set and the teacher's predictions on it, on the device."""

    def __init__(self, task: Task, test: RealImages, teacher: nn.Module, device: torch.device) -> None:
        self._normalise = Normaliser(task, device)
        self._images, self._labels = test.images.to(device), test.labels.to(device)
        self._teacher = self.predict(teacher)

    def __call__(self, student: nn.Module) -> Score:
        """Score a student; its mode is left as it was."""
        predicted = self.predict(student)
        return Score(_percent(predicted == self._labels), _percent(predicted == self._teacher))

    @torch.no_grad()
    def predict(self, network: nn.Module) -> Tensor:
        """Predicted class of every test image, network in evaluation mode: int64 [n]."""
        training = network.training
        network.eval()
        batches = self._images.split(BATCH)
        predicted = torch.cat([network(self._normalise(images.float() / 255)).argmax(dim=1) for images in batches])
        network.train(training)
        return predicted


def accuracy(network: nn.Module, task: Task, test: RealImages, device: torch.device) -> float:
    """Top-1 accuracy in percent of one network, such as the teacher."""
    return Evaluator(task, test, network, device)(network).metric


def _percent(hits: Tensor) -> float:
    return 100.0 * float(hits.double().mean())
