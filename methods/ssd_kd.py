"""SSD-KD: Small Scale Data-Free Knowledge Distillation (Liu et al., CVPR 2024, arXiv 2406.07876).

The authors published no code; this is the first open implementation. docs/ssd-kd.md says of every step whether it is
known [K], our reading [R] or our choice [C].

A meta-generator as in Fast inverts the teacher; φ lets the task term act on images of rare classes that the teacher
finds hard. A replay buffer of fixed size holds the images, renewed only in part, and the student draws from it by
priority.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from methods.base.method import Context, MethodConfig
from methods.base.presets import Preset
from methods.base.schedule import Schedule
from methods.parts.answers import asking
from methods.parts.composed import ComposedMethod
from methods.parts.distiller import Distiller, soft_targets
from methods.parts.meta_generator import CASES, MetaGeneratorConfig, MetaGeneratorInverter
from methods.parts.modulation import Modulation
from methods.parts.replay_buffer import ReplayBuffer, ReplayConfig, admitted
from methods.parts.sources import rounds_to_fill

SMALLEST_BATCH = 32
"""Images per round at least. [C] R_BN compares the statistics of a batch, and those of a handful of images are noise.
The limit acts where the buffer has under 128 slots."""
RESET = 120 / 220
"""The generator's first layer starts again so many of all rounds after the warm-up: in round 120 + W of 220. [R] As in
Fast-Datafree, fast_meta.py, which says 120 + warm-up and counts from 1."""


class SSDKDConfig(MetaGeneratorConfig, ReplayConfig):
    """Fast-2's settings, and the three modules of SSD-KD. Source: Liu et al., CVPR 2024, as docs/ssd-kd.md reads it."""

    rounds: int = Field(default=220, ge=1)
    """Synthesis rounds, the same at every data scale. Source: [R] Fast-Datafree, scripts/fast_cifar."""
    warmup: int = Field(default=20, ge=0)
    """Rounds of synthesis alone, without the adversarial term; fewer if the buffer is full earlier. Source: [R]
    Fast-Datafree, scripts/fast_cifar."""
    gamma: float = Field(default=2.0, ge=0)
    """Exponent of φ's difficulty factor. Source: [C] the focal loss's value, Lin et al. 2017."""
    diversity: bool = True
    """Whether φ has its first factor: frequent classes weigh less. Off in the ablation. Source: [K] the paper."""
    difficulty: bool = True
    """Whether φ has its second factor: images that the teacher is sure of weigh less. Off in the ablation. Source: [K]
    the paper."""
    lr_per: Literal["epoch", "round"] = "round"
    """How often the student's learning rate moves. Source: [R] over the rounds after the warm-up."""


def inversion_batch(config: SSDKDConfig, slots: int) -> int:
    """Images per round for a buffer of N = ``slots``."""
    quarter = -(-slots // 4)  # [C] more would not enter a full buffer in one round
    return min(config.inversion_batch, max(SMALLEST_BATCH, quarter))


class SSDKD(ComposedMethod):
    """Meta-generator → replay buffer → weighted distillation."""

    name = "ssd-kd"
    Config = SSDKDConfig
    presets: ClassVar = {
        "fast-2": Preset({}, CASES, source='[R] the setup "follows Fast": Fast-Datafree, scripts/fast_cifar.'),
        "smoke": Preset({"rounds": 8, "warmup": 2, "inversion_batch": 16, "generator_width": 8, "nz": 16}),
    }

    @classmethod
    def most_images(cls, config: MethodConfig, images: int) -> int:
        """As many as the rounds make, if that is fewer than the buffer has slots."""
        assert isinstance(config, SSDKDConfig)
        return min(images, config.rounds * inversion_batch(config, images))

    def __init__(self, config: MethodConfig, context: Context) -> None:
        assert isinstance(config, SSDKDConfig)
        super().__init__(config, context)
        batch = inversion_batch(config, context.images)
        warmup = min(config.warmup, rounds_to_fill(context, batch), config.rounds - 1)
        self.schedule = Schedule(context.steps(config), config.epochs, config.rounds, warmup)
        self.asking = asking(config, context, admitted(context.images, batch, config.rounds))
        phi = Modulation(config.gamma, config.diversity, config.difficulty)
        buffer = self.source = ReplayBuffer(config, context, self.schedule, phi, self.asking)
        self.inverter = MetaGeneratorInverter(
            config,
            context,
            batch=batch,
            adversarial_from=warmup + 1,
            reset_at=warmup + round(RESET * config.rounds),
            task_weight=lambda logits: phi(logits, buffer.class_share()),
        )
        self.distiller = Distiller(config, context, self.schedule, soft_targets(config.temperature))
