"""A generator that is followed by its own moving average: the student learns from images of both."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from pydantic import Field
from torch import Tensor, nn

from methods.base.method import Context
from methods.base.schedule import Schedule
from methods.parts.composed import Synthesised
from methods.parts.losses import Objective
from methods.parts.persistent_generator import PersistentGenerator, PersistentGeneratorConfig


class AveragedGeneratorConfig(PersistentGeneratorConfig):
    """A moving average beside the generator, or none."""

    ema: float | None = Field(default=None, gt=0, lt=1)
    """How much of the generator's moving average stays after each of its steps; null for no average. Source: our
    choice."""
    ema_share: float = Field(default=0.5, ge=0, lt=1)
    """Share of every fresh batch that the moving average makes, rounded down. Source: our choice."""


class AveragedGenerator(PersistentGenerator):
    """A persistent generator θ, and θ̃ ← α θ̃ + (1 - α) θ after each of its steps, statistics of batch norm included."""

    state = (*PersistentGenerator.state, "average")
    config: AveragedGeneratorConfig

    def __init__(
        self,
        config: AveragedGeneratorConfig,
        context: Context,
        schedule: Schedule,
        objective: Callable[[Tensor], Objective],
    ) -> None:
        super().__init__(config, context, schedule, objective)
        assert config.ema is not None
        self.keeps = config.ema
        self.average = copy.deepcopy(self.generator)

    def synthesise(self, call: int) -> Synthesised:
        """One step of the generator, and of its average behind it."""
        made = super().synthesise(call)
        follow(self.average, self.generator, self.keeps)
        return made

    @torch.no_grad()
    def fresh(self, z: Tensor) -> Tensor:
        """A fresh batch from latents [B, nz], the average's images last: the teacher's input [B, C, H, W]."""
        averaged = int(self.config.ema_share * len(z))
        if not averaged:
            return super().fresh(z)
        self.average.train(self.config.sampling == "training")
        return torch.cat([super().fresh(z[:-averaged]), self.inputs(self.average, z[-averaged:])])


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, keeps: float) -> None:
    """Move ``average`` by 1 - ``keeps`` of the way to ``network``, buffers included; numbers that count are copied."""
    for mine, theirs in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(theirs, 1 - keeps)
        else:
            mine.copy_(theirs)
