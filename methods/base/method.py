"""The contract between a method and the bench.

A method is three verbs: `synthesise` makes images, `distill_step` trains the student once, and `state_dict` with
`load_state_dict` let it continue as if it had never stopped. The bench calls `round`, times what happens inside
through a clock, evaluates the student and writes the records; a method never sees the test set.

Most methods are composed of an inverter, a source and a distiller (`methods/parts/composed.py`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

import torch
from pydantic import BaseModel, ConfigDict, field_validator
from torch import Tensor, nn

from methods.base import plain
from methods.base.asking import Asking
from methods.base.bounds import Batch, Epochs, Steps
from methods.base.placing import Placing
from methods.base.presets import Preset, Problem, resolve
from methods.base.prior import Prior
from methods.base.schedule import Schedule
from methods.base.task import RealImages, Task
from methods.base.teacher import FrozenTeacher

Losses = dict[str, Tensor]
"""Named 0-dim tensors on the device, detached. Nobody reads them before the end of an epoch."""

ModuleT = TypeVar("ModuleT", bound=nn.Module)


class MethodConfig(BaseModel):
    """What every method is told; each method adds its own hyperparameters.

    The text below a hyperparameter says what it means, and behind ``Source:`` where its default comes from; without one
    that is what the text of its class says there. `dkd show` prints both. Source: Fast-Datafree, scripts/fast_cifar.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
        validate_default=True,
    )

    steps: Steps = 80_000
    """Distillation steps at 100 % data scale; fewer in proportion at smaller ones. Source: Fast-Datafree,
    scripts/fast_cifar: 200 epochs × 400 steps."""
    epochs: Epochs = 200
    """The student is evaluated, and its learning rate moves, this many times."""
    batch: Batch = 256
    """Images per distillation step, at every scale."""

    @field_validator("*")
    @classmethod
    def _is_plain(cls, value: Any) -> Any:
        """Refuse what no record can keep, also among defaults and in presets."""
        if problem := plain.problem(value):
            raise ValueError(problem)
        return value


class Randomness(Protocol):
    """Randomness by name."""

    def __call__(self, stream: str, index: int = 0) -> torch.Generator:
        """A source of random numbers on the method's device that depends on (seed, stream, index) alone."""


class Builder(Protocol):
    """Initial weights by name."""

    def __call__(self, stream: str, make: Callable[[], ModuleT], index: int = 0) -> ModuleT:
        """The module that ``make`` returns, on the method's device; its weights depend on (seed, stream, index) alone.

        ``index`` is for a network that is made anew while the run goes on: its first, second, third life. The weights
        come from the host, so this is nothing to do in every step.
        """


class Clock(Protocol):
    """Times the two phases. Entering a phase inside another is an error."""

    def synthesis(self) -> AbstractContextManager[object]:
        """Around everything that makes or stores images."""

    def distillation(self) -> AbstractContextManager[object]:
        """Around everything that trains the student."""


@dataclass
class RoundLosses:
    """The losses of one round, one entry per call of `synthesise` and `distill_step`."""

    synthesis: list[Losses] = field(default_factory=list)
    distillation: list[Losses] = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """What a method is given to work with."""

    task: Task
    teacher: FrozenTeacher
    student: nn.Module
    """Freshly initialised, on the device; equal for all methods at equal seed."""
    scale: float
    """Data scale in (0, 1]."""
    device: torch.device
    random: Randomness
    build: Builder
    real: RealImages | None = None
    """None for every method whose prior is another than real images."""
    memory: int = 0
    """Bytes that the device has, or the machine on a CPU; with 0 nothing is remembered that can be found again, and
    images lie on the device."""

    @property
    def images(self) -> int:
        """N, the number of images that the student can draw from."""
        return self.task.images(self.scale)

    def steps(self, config: MethodConfig) -> int:
        """Distillation steps at this data scale: max(1, round(scale × steps))."""
        return max(1, round(self.scale * config.steps))


class Method(ABC):
    """A data-free distillation method at work on one cell."""

    name: ClassVar[str]
    """In methods/ the file's name, with dashes."""
    Config: ClassVar[type[MethodConfig]] = MethodConfig
    presets: ClassVar[Mapping[str, Preset]] = {}
    """Named sets of hyperparameters. The one named `SMOKE` is small enough for `dkd check` and the test grid."""

    schedule: Schedule
    """Set by the constructor of every method."""
    images_synthesised: int = 0
    """Images made so far, counted by the method."""
    asking: Asking | None = None
    """How it asks the teacher about images that it stores; None where it stores none, or does not say."""

    def __init__(self, config: MethodConfig, context: Context) -> None:
        self.config, self.context = config, context

    @property
    def images(self) -> int:
        """How many images the student can draw from at present; N where they are made anew for every step."""
        return self.context.images

    @property
    def shown(self) -> int:
        """How many images a distillation step shows the student: its batch, and what a method adds to it."""
        return self.config.batch

    @property
    def placing(self) -> Placing | None:
        """Where the images that it stores lie; None where it stores none, or does not say."""
        return None

    @classmethod
    def most_images(cls, config: MethodConfig, images: int) -> int:
        """How many of the N = ``images`` there will be in the end; fewer where a configuration makes fewer than N."""
        return images

    @classmethod
    def prior(cls, config: MethodConfig) -> Prior:
        """What it uses beyond the teacher with this configuration; it is given real images if it says so."""
        return Prior.NONE

    @abstractmethod
    def synthesise(self, call: int) -> Losses:
        """Make images and hand them to the student's source, for the ``call``-th time, from 0. Timed as synthesis.

        There are ``schedule.synthesis_rounds`` calls; rounds, of which some only distill, have numbers of their own.
        """

    @abstractmethod
    def distill_step(self) -> Losses:
        """Train the student once. Timed as distillation. The first name is the loss that is minimised."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Everything that changes while the method runs, the student included, at the end of a round."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` returned."""

    @abstractmethod
    def synthetic_images(self, count: int) -> Tensor:
        """At most ``count`` images that the student can draw from: [n, C, H, W] in [0, 1]."""

    def begin_round(self, index: int, steps: int) -> None:  # noqa: B027 - a method may have nothing to prepare
        """Prepare the ``steps`` distillation steps of round ``index``. Timed as distillation."""

    def round(self, index: int, clock: Clock) -> RoundLosses:
        """One round: synthesis if it is due, and its share of the distillation steps.

        A method whose loop does not split this way overrides it.
        """
        losses = RoundLosses()
        for phase in (self._distill, self._make) if self.schedule.distill_first else (self._make, self._distill):
            phase(index, clock, losses)
        return losses

    def _make(self, index: int, clock: Clock, losses: RoundLosses) -> None:
        if self.schedule.synthesises(index):
            with clock.synthesis():
                losses.synthesis.append(self.synthesise(self.schedule.calls_before(index)))

    def _distill(self, index: int, clock: Clock, losses: RoundLosses) -> None:
        if steps := self.schedule.steps_in(index):
            with clock.distillation():
                self.begin_round(index, steps)
                losses.distillation = [self.distill_step() for _ in range(steps)]

    @classmethod
    def configure(
        cls, preset: str | None, budget: Mapping[str, Any], options: Mapping[str, Any], problem: Problem
    ) -> MethodConfig:
        """A label's options over the study's budget, over the preset's values, over the class's own defaults.

        Raises UnknownPreset, or pydantic's ValidationError.
        """
        chosen = resolve(cls.name, cls.presets, preset, problem)
        return cls.Config(**{**chosen.options, **budget, **options})
