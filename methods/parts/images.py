"""Images as the student finds them: uint8 where they fit, zero border included, drawn in random views."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from methods.base.method import Context
from methods.base.placing import Placing
from methods.base.state import Stateful
from methods.base.task import Task
from methods.parts.views import Views


class Normaliser:
    """Between images in [0, 1] and the teacher's input, with the task's mean and standard deviation."""

    def __init__(self, task: Task, device: torch.device) -> None:
        self.mean = torch.tensor(task.mean, device=device).view(1, -1, 1, 1)
        self.std = torch.tensor(task.std, device=device).view(1, -1, 1, 1)

    def __call__(self, images: Tensor) -> Tensor:
        """Images [B, C, H, W] in [0, 1] to the teacher's input."""
        return (images - self.mean) / self.std

    def inverse(self, inputs: Tensor) -> Tensor:
        """The teacher's input [B, C, H, W] back to images, clamped to [0, 1]."""
        return (inputs * self.std + self.mean).clamp(0, 1)


def quantised(images: Tensor) -> Tensor:
    """Images [n, C, H, W] as uint8: clamped to [0, 1], and truncated as CMI's and Fast's PNGs are, not rounded."""
    return (images.clamp(0, 1) * 255).to(torch.uint8)


class ImageStore(Stateful):
    """``capacity`` slots for images of the task, `quantised`.

    They lie where `Placing` says. What is handed out is on the device; from main memory it is copied for every batch,
    and the host waits for the device to learn which slots it wants.
    """

    state = ("pixels",)

    def __init__(self, context: Context, capacity: int) -> None:
        task, self._device = context.task, context.device
        channels, height, width = task.shape
        self.views = Views.of(task)
        self.normalise = Normaliser(task, context.device)
        padded = (capacity, height + 2 * task.pad, width + 2 * task.pad, channels)
        self.placing = Placing(capacity, math.prod(padded), context.memory)
        self._place = self.placing.place(context.device)
        self.pixels = torch.zeros(padded, dtype=torch.uint8, device=self._place).permute(0, 3, 1, 2)

    def write(self, slots: Tensor, images: Tensor) -> None:
        """Store images [n, C, H, W] in [0, 1] in ``slots`` [n]."""
        padded = F.pad(quantised(images.detach()), [self.views.pad] * 4)
        self.pixels.index_copy_(0, slots.to(self._place), padded.to(self._place))

    def view(self, slots: Tensor, view: Tensor) -> Tensor:
        """The teacher's input for the stored images in ``slots`` [n], each in its view of ``view`` [n]."""
        return self.normalise(self.views.take(self._read(slots), view).float() / 255)

    def images(self, slots: Tensor) -> Tensor:
        """Stored images without augmentation: [n, C, H, W] in [0, 1]."""
        pad = self.views.pad
        inner = self._read(slots)[:, :, pad : pad + self.views.height, pad : pad + self.views.width]
        return inner.float() / 255

    def _read(self, slots: Tensor) -> Tensor:
        return self.pixels.index_select(0, slots.to(self._place)).to(self._device)
