"""Methods whose student learns from a growing pool: an inverter fills it batch by batch, until it holds N images."""

from __future__ import annotations

from abc import abstractmethod

from methods.base.method import Context, MethodConfig
from methods.base.schedule import Schedule
from methods.parts.answers import asking
from methods.parts.composed import ComposedMethod, Inverter
from methods.parts.distiller import Distiller, soft_targets
from methods.parts.inversion import InversionConfig
from methods.parts.sources import GrowingPool, rounds_to_fill


class PoolMethod(ComposedMethod):
    """Inverter → growing pool → distillation by soft targets. A method of this kind says how images are inverted."""

    Config = InversionConfig
    config: InversionConfig

    def __init__(self, config: MethodConfig, context: Context) -> None:
        super().__init__(config, context)
        self.schedule = self.make_schedule(rounds_to_fill(context, self.config.inversion_batch))
        self.inverter = self.make_inverter()
        self.asking = asking(config, context, context.images)
        self.source = GrowingPool(context, self.schedule, self.asking)
        self.distiller = Distiller(self.config, context, self.schedule, soft_targets(self.config.temperature))

    @abstractmethod
    def make_inverter(self) -> Inverter:
        """What makes ``config.inversion_batch`` images in every call; the schedule is there already."""

    def make_schedule(self, calls: int) -> Schedule:
        """How ``calls`` of the inverter and the steps of the student are spread over the run: evenly."""
        return Schedule(self.context.steps(self.config), self.config.epochs, calls, self.warmup(calls))

    def warmup(self, calls: int) -> int:
        """How many of all ``calls`` of the inverter come before the student's first step; fewer than all."""
        return 0
