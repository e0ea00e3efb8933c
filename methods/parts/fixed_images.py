"""Distillation on N images that are there from the start: nothing is inverted, only the student learns."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from pydantic import Field
from torch import Tensor

from methods.base.method import Context, MethodConfig
from methods.base.schedule import Schedule
from methods.base.state import Stateful
from methods.parts.answers import asking
from methods.parts.composed import ComposedMethod, Synthesised
from methods.parts.distiller import Distiller, SoftTargetConfig, soft_targets
from methods.parts.sources import GrowingPool


class FixedImagesConfig(SoftTargetConfig):
    """How the student learns. Source: Fast-Datafree's values for a pool, scripts/fast_cifar: only the images differ."""

    lr: float = Field(default=0.2, gt=0)
    final_lr: float = Field(default=2e-4, ge=0)


class AllAtOnce(Stateful):
    """Stands in for an inverter: its one call has all images."""

    def __init__(self, images: Callable[[], Tensor]) -> None:
        self.images = images

    def synthesise(self, call: int) -> Synthesised:
        """All images; only the pool keeps them."""
        return Synthesised(self.images(), {})


class FixedImages(ComposedMethod):
    """All images in round 0 → pool → distillation. A method of this kind says which images."""

    Config = FixedImagesConfig
    asks: ClassVar[bool] = True
    """Whether the student learns from the teacher."""

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, FixedImagesConfig)
        super().__init__(config, context)
        self.schedule = Schedule(context.steps(config), config.epochs, synthesis_rounds=1)
        self.inverter = AllAtOnce(self.fixed_images)
        self.asking = asking(config, context, context.images) if self.asks else None
        self.source = GrowingPool(context, self.schedule, self.asking)
        self.distiller = Distiller(config, context, self.schedule, soft_targets(config.temperature))

    @abstractmethod
    def fixed_images(self) -> Tensor:
        """The N images [N, C, H, W] in [0, 1]."""
