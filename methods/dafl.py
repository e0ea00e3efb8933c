"""DAFL: Data-Free Learning of Student Networks (Chen et al., ICCV 2019).

A generator makes images that the teacher is sure of, that activate it, and that spread over the classes; there is no
adversarial term. Two presets: `original`, the authors' code (huawei-noah/Efficient-Computing,
Data-Efficient-Model-Compression/DAFL), in which the student learns from the generator's own batch, answered once for
both; and `cmi`, the form in the tables of CMI and Fast (CMI repository, scripts/dafl), with fresh images.
"""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import Field
from torch import Tensor

from methods.base.method import Context, MethodConfig
from methods.base.presets import PUBLISHED_FOR_WRN, RESNETS, Case, Preset, borrowed
from methods.parts.losses import Objective, dafl_losses, weighted_sum
from methods.parts.persistent_generator import GeneratorMethod, SoftTargetGeneratorConfig


class DAFLConfig(SoftTargetGeneratorConfig):
    """Defaults are those of the preset `cmi`. Source: CMI repository, scripts/dafl."""

    nz: int = Field(default=512, ge=1)
    oh: float = Field(default=1.0, ge=0)
    """Weight of the one-hot loss: the teacher shall be sure of one class."""
    ie: float = Field(default=20 * math.log(10), ge=0)
    """Weight of the information entropy of the mean prediction, to base 10 as the authors take it. Source: CMI
    repository, scripts/dafl, whose 20 is for the natural logarithm."""
    a: float = Field(default=0.001, ge=0)
    """Weight of the activation loss: the images shall activate the teacher's features."""


CIFAR10 = {"oh": 0.05, "ie": 5.0, "a": 0.01}
CIFAR100 = {"oh": 0.5, "ie": 20.0, "a": 0.1}
"""README of the authors' code."""


class DAFL(GeneratorMethod):
    """A persistent generator that the teacher alone judges."""

    name = "dafl"
    Config = DAFLConfig
    presets: ClassVar = {
        "original": Preset(
            {
                "steps": 240_000,  # 2000 epochs × 120 iterations
                "epochs": 2000,
                "batch": 1024,
                "generator": "dafl",
                "nz": 1000,
                "lr_g": 0.02,
                "beta1": 0.9,
                "student_steps": 1,
                "reuse": True,
                "lr_milestones": [0.4, 0.8],  # epochs 800 and 1600
                "weight_decay": 5e-4,
            },
            (
                Case(CIFAR10, ("cifar10",), (RESNETS,)),
                Case(CIFAR100, ("cifar100",), (RESNETS,)),
                borrowed("resnet34 → resnet18 on cifar100", CIFAR100, ("cifar100",)),
                borrowed("resnet34 → resnet18 on cifar10", CIFAR10),
            ),
            source="the authors' code.",
        ),
        "cmi": Preset({}, PUBLISHED_FOR_WRN),
        "smoke": Preset({"generator_width": 8, "nz": 16}),
    }

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, DAFLConfig)
        self.weights = {"one_hot": config.oh, "entropy": config.ie, "activation": config.a}
        super().__init__(config, context)

    def objective(self, x: Tensor) -> Objective:
        """Three terms, all from one answer of the teacher."""
        answer = self.context.teacher(x, features=True)
        parts = dafl_losses(answer)
        return Objective(weighted_sum(parts, self.weights), parts, answer)
