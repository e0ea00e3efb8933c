"""What a source hands to a distiller."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

from methods.parts.teacher import TeacherOutput


@dataclass(frozen=True)
class Batch:
    """Images to distill on. The distiller does not know which source they come from."""

    x: Tensor
    """The teacher's input [B, C, H, W]."""
    answer: TeacherOutput | None = None
    """What the teacher says to exactly ``x``, where the source already knows."""
    view: Tensor | None = None
    """Which view of its image each sample is, int64 [B]: `methods/parts/augment.py`."""
    weight: Tensor | None = None
    """Importance weight of each sample's loss [B]; None means 1."""
    slot: Tensor | None = None
    """Where each sample is stored, int64 [B]; None if it is not stored."""
    importance: Tensor | None = None
    """Raw importance weight of each slot [B], where ``weight`` is scaled."""
    fresh: bool = False
    """Whether the images were made for this batch alone."""


class Source(Protocol):
    """Where the student's images come from."""

    def admit(self, images: Tensor, index: int) -> dict[str, Tensor]:
        """Take the images [B, C, H, W] in [0, 1] that round ``index`` made; returns quantities worth recording."""

    def begin_round(self, steps: int, batch: int, index: int) -> None:
        """Prepare ``steps`` draws of ``batch`` samples."""

    def draw(self) -> Batch:
        """The next batch."""

    def feedback(self, batch: Batch, teacher: Tensor, student: Tensor) -> None:
        """Learn what teacher and student answered to a batch: detached logits [B, classes]."""

    def sample(self, count: int) -> Tensor:
        """At most ``count`` of the images that can be drawn: [n, C, H, W] in [0, 1]."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes from round to round."""

    def load_state_dict(self, state: Any) -> None:
        """Continue from `state_dict`."""
