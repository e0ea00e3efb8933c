"""DFQ: Data-Free Network Quantization with Adversarial Knowledge Distillation (Choi et al., CVPR workshops 2020).

No official code was found: this is the form of CMI's repository (scripts/dfq), without the quantisation. Its batch-norm
term is DeepInversion's; the paper has a divergence of Gaussians.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field
from torch import Tensor

from methods.base.method import Context, MethodConfig
from methods.base.presets import PUBLISHED_FOR_WRN, RESNETS, Case, Preset
from methods.parts.losses import BatchNormLoss, Objective, kl_divergence, mean_entropy, one_hot, weighted_sum
from methods.parts.persistent_generator import GeneratorMethod, SoftTargetGeneratorConfig


class DFQConfig(SoftTargetGeneratorConfig):
    """Four terms on the generator's images. Source: CMI repository, scripts/dfq."""

    student_steps: int = Field(default=10, ge=1)
    adv: float = Field(default=1.0, ge=0)
    """Weight of the adversarial term, the divergence of student and teacher."""
    bn: float = Field(default=1.0, ge=0)
    """Weight of R_BN, the distance of the images' batch-norm statistics from the teacher's."""
    oh: float = Field(default=1.0, ge=0)
    """Weight of the one-hot loss: the teacher shall be sure of one class."""
    balance: float = Field(default=20.0, ge=0)
    """Weight of the entropy, in nats, of the mean prediction."""


class DFQ(GeneratorMethod):
    """A generator against the student, held by the teacher's statistics and balanced classes."""

    name = "dfq"
    Config = DFQConfig
    presets: ClassVar = {
        "cmi": Preset(
            {},
            (
                Case({"lr": 0.05}, ("cifar100",), (RESNETS,)),  # a second script, which is named after CIFAR-10
                *PUBLISHED_FOR_WRN,
            ),
        ),
        "smoke": Preset({"generator_width": 8, "nz": 16}),
    }

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, DFQConfig)
        self.weights = {"adversarial": config.adv, "bn": config.bn, "one_hot": config.oh, "entropy": config.balance}
        self.bn_loss = BatchNormLoss(context.teacher)
        super().__init__(config, context)

    def objective(self, x: Tensor) -> Objective:
        """Four terms on one batch."""
        answer = self.context.teacher(x, statistics=True)
        assert answer.statistics is not None
        parts = {
            "adversarial": -kl_divergence(answer.logits, self.context.student(x)).mean(),
            "bn": self.bn_loss(answer.statistics),
            "one_hot": one_hot(answer.logits),
            "entropy": -mean_entropy(answer.logits),
        }
        return Objective(weighted_sum(parts, self.weights), parts, answer)
