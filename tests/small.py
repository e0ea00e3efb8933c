"""Methods small enough for a test: digits or a task of one's own, an untrained teacher, few and short steps."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

import methods
from harness import data, networks
from harness.commands.contract import CPU
from harness.engine.randomness import Streams
from methods.base.method import Context, Method
from methods.base.schedule import Schedule
from methods.base.task import RealImages, Task
from methods.base.teacher import FrozenTeacher

DIGITS = data.load("digits").task
CIFAR = Task(10, (3, 32, 32), (0.49, 0.48, 0.45), (0.2, 0.2, 0.26), pad=4, flip=True, reference_size=50_000)
FEW = {"steps": 240, "epochs": 4, "batch": 8}
"""Twelve distillation steps at 5 %."""
ONE_ROUND = Schedule(steps=40, epochs=1, synthesis_rounds=1)
"""For parts that want to know how long a round can be."""


def network(name: str, seed: int, task: Task = DIGITS) -> nn.Module:
    """A network whose batch norms, statistics and weights, are none of them 0 or 1; in evaluation mode."""
    made = Streams(seed, CPU).build("network", lambda: networks.build(name, task.classes, task.shape[0])).eval()
    return lively(made.to(torch.get_default_dtype()), seed)


def lively(made: nn.Module, seed: int) -> nn.Module:
    """Give every batch norm statistics, weights and biases at random."""
    random = torch.Generator().manual_seed(seed)
    for layer in made.modules():
        if isinstance(layer, nn.BatchNorm2d):
            assert layer.running_mean is not None and layer.running_var is not None
            for tensor, low, high in (
                (layer.running_mean, -0.5, 0.5),
                (layer.running_var, 0.5, 2.0),
                (layer.weight, 0.5, 1.5),
                (layer.bias, -0.3, 0.3),
            ):
                tensor.detach().copy_(low + (high - low) * torch.rand(tensor.shape, generator=random))
    return made


@torch.no_grad()
def agreeing_pair() -> tuple[nn.Module, nn.Module]:
    """A teacher and a student who, untrained, use all classes, and name the same one now and then."""
    x = torch.randn(200, *DIGITS.shape, generator=torch.Generator().manual_seed(0))
    pair = network("wrn10_1", 1), network("cnn3_16", 2)
    for made, spread in zip(pair, (30, 60), strict=True):
        linear = made.linear
        assert isinstance(linear, nn.Linear)
        linear.weight *= spread
        linear.bias -= made(x).mean(dim=0)
        linear.bias[3] += 1.5
    return pair


def context(
    teacher: nn.Module,
    student: nn.Module,
    *,
    scale: float = 0.05,
    task: Task = DIGITS,
    memory: int = 0,
    **changes: Any,
) -> Context:
    """What a method is given; ``changes`` are of the task."""
    streams = Streams(0, CPU)
    return Context(
        task=dataclasses.replace(task, **changes),
        teacher=FrozenTeacher(teacher),
        student=student,
        scale=scale,
        device=CPU,
        random=streams.random,
        build=streams.build,
        memory=memory,
    )


def with_noise(given: Context) -> Context:
    """The same for a reference: its real images are noise."""
    shape, dense = given.task.shape, given.task.dense
    images = torch.zeros(given.images, *shape, dtype=torch.uint8)
    labels = torch.zeros(given.images, *(shape[1:] if dense else ()), dtype=torch.int64)
    return dataclasses.replace(given, real=RealImages(images, labels))


def options(name: str, preset: str = "smoke", **more: Any) -> dict[str, Any]:
    """A preset's values in its first case, those of ``smoke`` over them, few steps, and ``more``."""
    return full_options(name, preset, **{**methods.load(name).presets["smoke"].options, **FEW, **more})


def full_options(name: str, preset: str, **more: Any) -> dict[str, Any]:
    """A preset's values in its first case, with a small generator, and ``more``: schedules and rates as published."""
    cls = methods.load(name)
    tiny = {key: value for key, value in {"generator_width": 2, "nz": 4}.items() if key in cls.Config.model_fields}
    return {**cls.presets[preset].all_options()[0], **tiny, **more}


def build(name: str, given: Context | None = None, preset: str = "smoke", **more: Any) -> Any:
    """A method with a student that nobody has trained."""
    return make(name, given or context(network("wrn10_1", 1), network("cnn3_16", 2)), options(name, preset, **more))


def build_full(name: str, preset: str, scale: float = 1.0, reference_size: int = 50_000, **more: Any) -> Any:
    """A method whose schedule is that of a real run, on images of 8 × 8 pixels."""
    networks = network("wrn10_1", 1), network("cnn3_16", 2)
    given = context(*networks, scale=scale, reference_size=reference_size, pad=0)
    return make(name, given, full_options(name, preset, **more))


def make(name: str, given: Context, values: dict[str, Any]) -> Any:
    """A method or a reference from all its options."""
    cls = methods.load(name)
    made: Method = cls(cls.Config(**values), given)
    return made


def presets() -> list[tuple[str, str]]:
    """Every preset of every method that classifies images; those for segmentation alone need another task."""
    return [
        (name, preset)
        for name in methods.names()
        for preset, values in methods.load(name).presets.items()
        if not values.cases or any(case.datasets != ("nyuv2",) for case in values.cases)
    ]


def once(cases: list[tuple[str, str]], values: Callable[[str, str], dict[str, Any]]) -> list[tuple[str, str]]:
    """Of cases, each a method and a preset, one for each set of options that ``values`` gives them."""
    return list({(name, str(sorted(values(name, preset).items()))): (name, preset) for name, preset in cases}.values())


class Stopwatch:
    """A clock that measures nothing, and notes the order of the phases."""

    def __init__(self) -> None:
        self.phases: list[str] = []

    def synthesis(self) -> Stopwatch:
        self.phases.append("synthesis")
        return self

    def distillation(self) -> Stopwatch:
        self.phases.append("distillation")
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...
