"""DFAD: Data-Free Adversarial Distillation (Fang et al., arXiv 1912.11006).

Generator and student play against each other on the distance of their logits. Four presets: `original`, the authors'
code for CIFAR (VainF/Data-Free-Adversarial-Distillation), in which the student learns first, its batch norm in
training mode throughout; `nyuv2`, the same for segmentation; `cmi`, the form of the later tables (CMI repository,
scripts/dfad of its history); and `ema`, which adds a moving average of the generator, as in MAD (Do et al., NeurIPS
2022), whose other details are not public. The tables of Fast's repository come from code whose adversarial term was 0,
since the student was wired to the teacher.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from methods.base.method import Context, MethodConfig
from methods.base.presets import DEEPLABS, PUBLISHED_FOR_WRN, RESNETS, Case, Preset, borrowed
from methods.parts.averaged_generator import AveragedGenerator, AveragedGeneratorConfig
from methods.parts.distiller import Distiller
from methods.parts.losses import Objective, logit_distance
from methods.parts.persistent_generator import GeneratorMethod, PersistentGenerator, PersistentGeneratorConfig


class DFADConfig(AveragedGeneratorConfig):
    """Defaults are those of the preset `cmi`. Source: CMI repository, scripts/dfad of its history."""

    logarithm: bool = False
    """Whether the generator maximises log(distance + 1) in place of the distance."""


class DFAD(GeneratorMethod):
    """Mean absolute difference of the logits: the student minimises it, the generator maximises it."""

    name = "dfad"
    Config = DFADConfig
    presets: ClassVar = {
        "original": Preset(
            {
                "steps": 125_000,  # 500 epochs × 50 iterations × 5 steps
                "epochs": 500,
                "generator": "dfad",
                "beta1": 0.9,
                "generator_decays": True,
                "distill_first": True,
                "sampling": "training",
                "adversary_trains": True,
                "lr_milestones": [0.198, 0.398],  # the 100th and the 200th of 500 epochs are the first of each stretch
                "weight_decay": 5e-4,
            },
            (Case({}, pairs=(RESNETS,)), borrowed("resnet34 → resnet18 on cifar10")),
            source="the authors' code.",
        ),
        "nyuv2": Preset(
            {
                "steps": 75_000,  # 300 epochs × 50 iterations × 5 steps
                "epochs": 300,
                "batch": 64,
                "generator": "dcgan",
                "generator_width": 64,
                "beta1": 0.9,
                "generator_decays": True,
                "distill_first": True,
                "sampling": "training",
                "adversary_trains": True,
                "logarithm": True,
                "lr_milestones": [1 / 3, 2 / 3],  # every 100 epochs
                "lr_factor": 0.3,
                "weight_decay": 5e-5,
            },
            (Case({}, ("nyuv2",), (DEEPLABS,)),),
            source="the authors' code, DFAD_nyu_deeplab.py.",
        ),
        "cmi": Preset({}, PUBLISHED_FOR_WRN),
        "ema": Preset(
            {"ema": 0.95},
            (borrowed("wrn40_2 → wrn16_1 on cifar10"),),
            source="our choice: CMI's form, with the 0.95 that MAD is said to do best with.",
        ),
        "smoke": Preset({"generator_width": 8, "nz": 16}),
    }

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, DFADConfig)
        self.logarithm = config.logarithm
        super().__init__(config, context)

    def objective(self, x: Tensor) -> Objective:
        """The negative distance, or its logarithm."""
        answer = self.context.teacher(x)
        distance = logit_distance(answer.logits, self.context.student(x)).mean()
        loss = -(distance + 1).log() if self.logarithm else -distance
        return Objective(loss, {"adversarial": -distance}, answer)

    def make_generator(self, config: PersistentGeneratorConfig) -> PersistentGenerator:
        """One with its average, where there shall be one."""
        assert isinstance(config, DFADConfig)
        kind = PersistentGenerator if config.ema is None else AveragedGenerator
        return kind(config, self.context, self.schedule, self.objective)

    def make_distiller(self, config: PersistentGeneratorConfig) -> Distiller:
        """The student minimises the same distance."""
        return Distiller(config, self.context, self.schedule, logit_distance)
