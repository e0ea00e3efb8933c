"""DFAD: Data-Free Adversarial Distillation (Fang et al., arXiv 1912.11006).

Generator and student play against each other on the distance of their logits. Two presets: `original`, the authors'
code for CIFAR (VainF/Data-Free-Adversarial-Distillation), in which the student learns first, its batch norm in
training mode throughout; and `cmi`, the form of the later tables (CMI repository, scripts/dfad of its history). The
tables of Fast's repository come from code whose adversarial term was 0, since the student was wired to the teacher.
"""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from methods.parts.distiller import Distiller
from methods.parts.losses import logit_distance
from methods.parts.persistent_generator import GeneratorMethod, GeneratorObjective, PersistentGeneratorConfig
from methods.parts.presets import PUBLISHED_FOR_WRN, RESNETS, Case, Preset, lent


class DFAD(GeneratorMethod):
    """Mean absolute difference of the logits: the student minimises it, the generator maximises it."""

    name = "dfad"
    Config = PersistentGeneratorConfig
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
            (Case({}, pairs=(RESNETS,)), lent("resnet34 → resnet18 on cifar10")),
        ),
        "cmi": Preset({}, PUBLISHED_FOR_WRN),
        "smoke": Preset({"generator_width": 8, "nz": 16}),
    }

    def objective(self, x: Tensor) -> GeneratorObjective:
        """The negative distance."""
        answer = self.context.teacher(x)
        distance = logit_distance(answer.logits, self.context.student(x)).mean()
        return GeneratorObjective(-distance, {"adversarial": -distance}, answer)

    def make_distiller(self, config: PersistentGeneratorConfig) -> Distiller:
        """The student minimises the same distance."""
        return Distiller(config, self.context, self.schedule, logit_distance)
