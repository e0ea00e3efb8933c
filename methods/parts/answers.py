"""What the teacher says to the images of a pool: asked once, before an image can be drawn, and read at every draw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from methods.base.asking import Asking
from methods.base.method import Context, MethodConfig
from methods.base.state import Stateful
from methods.base.task import Task
from methods.base.teacher import TeacherOutput
from methods.parts.images import ImageStore
from methods.parts.views import Views

PIXELS = {"cpu": 2**16, "cuda": 2**20}
"""Of the images that the teacher is asked about at once: 64 of CIFAR's, whose activations the caches of a processor
hold, and 1024 on a card. Our choice."""


def asking(config: MethodConfig, context: Context, stored: int) -> Asking:
    """How a run asks the teacher that stores ``stored`` images, those included that others replace."""
    views = Views.of(context.task).count
    numbers = context.images * views * math.prod(_answer(context.task))
    return Asking(
        draws=context.steps(config) * config.batch,
        views=stored * views,
        bytes=numbers * torch.get_default_dtype().itemsize,
        memory=context.memory,
    )


class Answers(Stateful):
    """The teacher's logits for all views of the images in a store, or nothing, where it is asked at every draw.

    The teacher is frozen, so that an answer is the one it would give at a draw, up to the rounding of a batch of
    another size. There are none for methods that say of themselves no `Asking`, and none after a checkpoint without:
    a machine with less memory may have written it.
    """

    state = ("logits", "unasked")

    def __init__(self, asking: Asking | None, context: Context, store: ImageStore) -> None:
        self.teacher, self.store = context.teacher, store
        pixels = PIXELS.get(context.device.type, PIXELS["cuda"])
        self._at_once = max(1, pixels // (store.views.height * store.views.width))
        self.unasked: list[Tensor] = []
        """Slots [n] each that were written since the teacher was last asked."""
        self.logits: Tensor | None = None
        """[slots, views, classes]; in dense tasks [slots, views, classes, H, W]."""
        if asking is not None and asking.once:
            shape = context.images, store.views.count, *_answer(context.task)
            self.logits = torch.zeros(shape, device=context.device)

    def admit(self, slots: Tensor) -> None:
        """``slots`` [n] have other images now: they are asked about with the next `ask`."""
        if self.logits is not None:
            self.unasked.append(slots)

    def ask(self) -> None:
        """Ask about all views of the images that came in since the last call: part of distillation, as all of it."""
        if self.logits is None or not self.unasked:
            return
        slots, count = torch.cat(self.unasked), self.store.views.count
        self.unasked = []
        for start in range(0, len(slots) * count, self._at_once):
            place = torch.arange(start, min(start + self._at_once, len(slots) * count), device=slots.device)
            slot, view = slots[place // count], place % count
            self.logits[slot, view] = self.teacher.logits(self.store.view(slot, view))

    def read(self, slots: Tensor, view: Tensor) -> TeacherOutput | None:
        """What the teacher says to the images in ``slots`` [n], each in its view of ``view`` [n]; None: ask it."""
        return None if self.logits is None else TeacherOutput(self.logits[slots, view])

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict`."""
        if self.logits is None or state["logits"] is None:
            self.logits, self.unasked = None, []
        else:
            super().load_state_dict(state)


def _answer(task: Task) -> tuple[int, ...]:
    """Shape of one answer."""
    return (task.classes, *task.shape[1:]) if task.dense else (task.classes,)
