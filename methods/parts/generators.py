"""Image generators, for any task whose height and width are multiples of 4.

Parameter counts are those of 3 × 32 × 32 images at width 128. Other widths are ours, for small images.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from torch import Tensor, nn

from methods.base import Task


class ImageGenerator(nn.Module, ABC):
    """Latent [B, nz] to images [B, C, H, W]: the body that all have in common.

    A linear layer to a quarter of the size and batch norm; twice nearest upsampling, 3×3 convolution, batch norm and
    LeakyReLU, to ``width`` and to half of it; a 3×3 convolution to the image's channels; what `_end` adds.
    """

    space: ClassVar[Literal["unit", "input"]]
    """``unit``: images in [0, 1]. ``input``: the teacher's normalised input, which needs no `Normaliser`."""
    start_factor: ClassVar[int] = 1
    """The linear layer makes so many times ``width`` channels."""
    conv_bias: ClassVar[bool] = True
    """Whether the two convolutions before a batch norm have a bias."""
    inner_eps: ClassVar[float] = 1e-5
    """Of the batch norms after these two."""

    def __init__(self, task: Task, nz: int, width: int = 128) -> None:
        super().__init__()
        channels, height, width_px = task.shape
        first, half = self.start_factor * width, width // 2
        self.start = (first, height // 4, width_px // 4)
        self.linear = nn.Linear(nz, first * (height // 4) * (width_px // 4))
        self.first_norm = nn.BatchNorm2d(first)
        self.body = nn.Sequential(
            *self._upsample(first, width),
            *self._upsample(width, half),
            nn.Conv2d(half, channels, 3, padding=1),
            *self._end(channels),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Images [B, C, H, W] in ``space`` for latents ``z`` [B, nz]."""
        images: Tensor = self.body(self.first_norm(self.linear(z).unflatten(1, self.start)))
        return images

    def _upsample(self, inputs: int, outputs: int) -> list[nn.Module]:
        return [
            nn.Upsample(scale_factor=2),
            nn.Conv2d(inputs, outputs, 3, padding=1, bias=self.conv_bias),
            nn.BatchNorm2d(outputs, eps=self.inner_eps),
            nn.LeakyReLU(0.2),
        ]

    @abstractmethod
    def _end(self, channels: int) -> list[nn.Module]:
        """The layers after the last convolution."""


class Generator(ImageGenerator):
    """The generator of CMI and Fast. Fast-Datafree, datafree/models/generator.py: 2,328,899 parameters for nz 256."""

    space = "unit"
    conv_bias = False

    def _end(self, channels: int) -> list[nn.Module]:
        return [nn.Sigmoid()]


class LargeGenerator(Generator):
    """`Generator` with twice the channels at the start, which the CMI repository gives to DAFL, ZSKT, DFQ and DFAD.

    zju-vipa/CMI, datafree/models/generator.py: 4,581,955 parameters for nz 256.
    """

    start_factor = 2


class DFADGenerator(ImageGenerator):
    """``GeneratorA`` of DFAD's experiments on CIFAR: 2,329,091 parameters for nz 256.

    VainF/Data-Free-Adversarial-Distillation, network/gan.py. The last batch norm has no affine part, so every batch has
    mean 0 and variance 1 per channel.
    """

    space = "input"

    def _end(self, channels: int) -> list[nn.Module]:
        return [nn.Tanh(), nn.BatchNorm2d(channels, affine=False)]


class DAFLGenerator(DFADGenerator):
    """The generator of DAFL, DFAD's but for the eps: 8,423,939 parameters for nz 1000.

    huawei-noah/Efficient-Computing, Data-Efficient-Model-Compression/DAFL. The two inner batch norms have eps 0.8,
    which the authors' code passes by position.
    """

    inner_eps = 0.8


class ZSKTGenerator(ImageGenerator):
    """The generator of ZSKT: no tanh, and a last batch norm that learns; 1,051,145 parameters for nz 100.

    polo5/ZeroShotKnowledgeTransfer, models/generator.py.
    """

    space = "input"

    def _end(self, channels: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(channels)]


KINDS: dict[str, type[ImageGenerator]] = {
    "fast": Generator,
    "cmi": LargeGenerator,
    "dafl": DAFLGenerator,
    "dfad": DFADGenerator,
    "zskt": ZSKTGenerator,
}
"""Generators by the name that a method's configuration gives them."""
