"""NAYER: Noisy Layer Data Generation for Efficient and Effective Data-free KD (Tran et al., CVPR 2024).

A generator makes images from what is known of their classes, without a latent: diversity comes from noisy layers, whose
weights are drawn anew for every batch of images and learn with the generator. The student learns from a growing pool.
Values are those of tmtuan1307/NAYER, scripts/nayer_{100,200,300}.sh. Each epoch of its warm-up makes ten batches, each
later one two; here every batch is a call of synthesis, and warm-up and lives keep their shares of the calls.

The authors' embeddings are CLIP's, of the classes' names: what a text encoder knows is no longer the teacher's alone.
Without a file the class's number has to do.
"""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from methods.base.presets import RESNETS, SMOKE, Case, Preset
from methods.parts.generators import ImageGenerator, for_task
from methods.parts.noisy_inverter import NoisyLayerConfig, NoisyLayerInverter, NoisyLayerMethod

CASES = (Case({"inner_steps": 40}, ("cifar100",)), Case({"inner_steps": 30}, ("cifar10",)))
"""NAYER repository, scripts/nayer_100.sh, nayer_200.sh and nayer_300.sh, all pairs alike."""


def _cases(epochs: int) -> tuple[Case, ...]:
    """Those, and Tiny-ImageNet's, with 1,000 steps in each of so many epochs: the same scripts, for this pair alone."""
    values = {"inner_steps": 60, "inversion_batch": 200, "batch": 256, "lr": 0.1, "steps": 1000 * epochs}
    return *CASES, Case(values, ("tiny-imagenet",), (RESNETS,))


class NAYERConfig(NoisyLayerConfig):
    """NAYER-100 on CIFAR-100. Source: NAYER repository, scripts/nayer_100.sh."""

    generator_width: int = Field(default=128, ge=2, multiple_of=2)
    """Channels that those of the generator's layers are multiples of: `methods/parts/generators.py`."""


class NAYERInverter(NoisyLayerInverter):
    """Noisy layers in front of the usual generator."""

    config: NAYERConfig

    def body(self) -> ImageGenerator:
        """The field's generator, which takes a noisy layer's answers [B, nz] for latents."""
        task = self.context.task
        return for_task(task)(task, self.config.nz, self.config.generator_width)


class NAYER(NoisyLayerMethod):
    """Generator of noisy layers → growing pool → distillation."""

    name = "nayer"
    Config = NAYERConfig
    config: NAYERConfig
    presets: ClassVar = {
        "nayer-100": Preset({}, _cases(100)),
        "nayer-200": Preset(
            {"steps": 80_000, "epochs": 200, "warmup": 200 / 600, "lives": 20},
            _cases(200),
            source="NAYER repository, scripts/nayer_200.sh.",
        ),
        "nayer-300": Preset(
            {"steps": 120_000, "epochs": 300, "warmup": 200 / 800, "lives": 30},
            _cases(300),
            source="NAYER repository, scripts/nayer_300.sh.",
        ),
        "nayer-no-text": Preset(
            {"label_embedding": "random"},
            _cases(100),
            source="our choice: NAYER-100, and at random what would be told of classes.",
        ),
        SMOKE: Preset({"inner_steps": 3, "inversion_batch": 16, "nz": 16, "generator_width": 8}),
    }

    def make_inverter(self) -> NAYERInverter:
        """The generator and what it minimises."""
        return NAYERInverter(self.config, self.context, self.lives)
