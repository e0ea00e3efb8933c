"""The usual method: an inverter fills a source, and a distiller draws from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from methods.base.method import Losses, Method
from methods.base.placing import Placing
from methods.parts.distiller import Distiller
from methods.parts.extras import Extras
from methods.parts.sources import Source


@dataclass(frozen=True)
class Synthesised:
    """The result of one synthesis."""

    images: Tensor
    """[B, C, H, W] in [0, 1]; as the teacher takes them, where the source stores nothing."""
    losses: Losses
    extras: Extras = field(default_factory=dict)
    """What the source shall keep beside the images, and hand out with them."""

    def __post_init__(self) -> None:
        for name, tensor in self.extras.items():
            if len(tensor) != len(self.images):
                raise ValueError(f"extras: {name!r} has {len(tensor)} rows for {len(self.images)} images")


class Inverter(Protocol):
    """What makes images. It counts its calls, never the student's rounds."""

    def synthesise(self, call: int) -> Synthesised:
        """The images of the synthesis number ``call``, from 0."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that changes from call to call."""

    def load_state_dict(self, state: Any) -> None:
        """Continue from `state_dict`."""


class ComposedMethod(Method):
    """Set ``inverter``, ``source``, ``distiller`` and ``schedule`` in the constructor, and nothing is left to do."""

    inverter: Inverter
    source: Source
    distiller: Distiller
    adversary_trains: bool = False
    """Whether the student is in training mode while images are made, so that its batch-norm statistics move."""

    @property
    def images(self) -> int:
        """What the source holds."""
        return self.context.images if self.source.filled is None else self.source.filled

    @property
    def placing(self) -> Placing | None:
        """Where the source's images lie."""
        return self.source.placing

    def synthesise(self, call: int) -> Losses:
        """Invert, then store."""
        self.context.student.train(self.adversary_trains)
        made = self.inverter.synthesise(call)
        self.images_synthesised += len(made.images)
        return made.losses | self.source.admit(made.images, call, made.extras)

    def begin_round(self, index: int, steps: int) -> None:
        """Set the learning rate and let the source plan its draws."""
        self.distiller.begin_round(index)
        self.source.begin_round(steps, self.config.batch, index)

    def distill_step(self) -> Losses:
        """Draw, learn, and tell the source how well the student knew the answers."""
        batch = self.source.draw()
        self.images_synthesised += len(batch.x) * batch.fresh
        distilled = self.distiller.step(batch)
        self.source.feedback(batch, distilled.teacher, distilled.student)
        return distilled.losses

    def synthetic_images(self, count: int) -> Tensor:
        """A sample of the source: [n, C, H, W] in [0, 1]."""
        return self.source.sample(count)

    def state_dict(self) -> dict[str, Any]:
        """The state of the parts, and the counters."""
        return {
            "inverter": self.inverter.state_dict(),
            "source": self.source.state_dict(),
            "distiller": self.distiller.state_dict(),
            "teacher": self.context.teacher.state_dict(),
            "images_synthesised": self.images_synthesised,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore the parts and the counters."""
        self.inverter.load_state_dict(state["inverter"])
        self.source.load_state_dict(state["source"])
        self.distiller.load_state_dict(state["distiller"])
        self.context.teacher.load_state_dict(state["teacher"])
        self.images_synthesised = state["images_synthesised"]
