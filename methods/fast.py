"""Fast: Up to 100x Faster Data-free Knowledge Distillation (Fang et al., AAAI 2022), the variant fast_meta.

A meta-generator makes each batch in two, five or ten inner steps; the student learns from a growing pool of all images.
Values are those of zju-vipa/Fast-Datafree, scripts/fast_cifar. Its 220 rounds, which all synthesise, fill the pool with
56,320 images; here the pool ends at N images, and what happens in a certain round there happens here at the same share
of the calls of synthesis, not of the rounds: at a small scale most rounds only distill.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from methods.base.presets import IMAGENET_PAIRS, Case, Preset, borrowed
from methods.parts.meta_generator import CASES, MetaGeneratorConfig, MetaGeneratorInverter
from methods.parts.pool_method import PoolMethod


class FastConfig(MetaGeneratorConfig):
    """Fast-2. Source: Fast-Datafree, scripts/fast_cifar and fast_meta.py."""

    warmup: float = Field(default=20 / 220, ge=0, lt=1)
    """Share of the calls of synthesis before the student's first step. The adversarial term starts with the last of
    them. Source: Fast-Datafree, fast_meta.py, which counts from 1 and compares with 20 of 220 rounds."""
    reset: float | None = Field(default=140 / 220, ge=0, le=1)
    """Share of the calls of synthesis at which the generator's first layer starts again; None: never. Source:
    Fast-Datafree, fast_meta.py: before the 140th of 220 rounds, counted from 1."""


class Fast(PoolMethod):
    """Meta-generator → growing pool → distillation."""

    name = "fast"
    Config = FastConfig
    config: FastConfig
    presets: ClassVar = {
        "fast-2": Preset({"inner_steps": 2, "lr_g": 5e-3, "lr_z": 0.015}, CASES),
        "fast-5": Preset({"inner_steps": 5, "lr_g": 3e-3, "lr_z": 0.01}, CASES),
        "fast-10": Preset({"inner_steps": 10, "lr_g": 2e-3, "lr_z": 0.01}, CASES),
        "imagenet": Preset(
            {
                **{"inner_steps": 50, "lr_g": 2e-4, "lr_z": 0.01, "lr_meta": 1e-4, "bn": 0.1, "oh": 0.1},
                **{"inversion_batch": 100, "generator_width": 64, "warmup": 0.0, "reset": None},
                **{"steps": 4_000_000, "epochs": 400, "batch": 100, "lr": 0.1, "final_lr": 0.0, "temperature": 5.0},
            },
            (
                Case({"adv": 1.0}, ("imagenet",), (IMAGENET_PAIRS[1],)),
                Case({"adv": 0.1}, ("imagenet",), IMAGENET_PAIRS),
                borrowed(f"{IMAGENET_PAIRS[0]} on imagenet", {"adv": 0.1}),
            ),
            source="Fast-Datafree, logs of FastDFKD_50 and datafree_kd_imagenet.py; 10 % have the logs' 400,000 steps. "
            "docs/deviations.md says what of them is not here.",
        ),
        "smoke": Preset({"inversion_batch": 16, "generator_width": 8, "nz": 16}),
    }

    def warmup(self, calls: int) -> int:
        """Its share, rounded; one call at least comes after it."""
        return min(round(self.config.warmup * calls), calls - 1)

    def make_inverter(self) -> MetaGeneratorInverter:
        """The meta-generator."""
        calls, reset = self.schedule.synthesis_rounds, self.config.reset
        return MetaGeneratorInverter(
            self.config,
            self.context,
            batch=self.config.inversion_batch,
            adversarial_from=self.schedule.warmup,
            # before the first call there is nothing to start again
            reset_at=None if reset is None else max(2, round(reset * calls)),
        )
