"""Image generators, for any task whose height and width are multiples of 4, or of 16 for the DCGAN kinds.

Parameter counts are those of 3 × 32 × 32 images at width 128, or 3 × 128 × 128 at width 64 for the DCGAN kinds. Other
widths are ours, for small images.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from methods.base.task import Task
from methods.parts.upsampling import UpsampledConvolution


class ImageGenerator(nn.Module, ABC):
    """Latent [B, nz] to images [B, C, H, W]: what all have in common.

    A linear layer to a map `shrink` times smaller than the image, and batch norm; then what `_layers` makes.
    Raises ValueError for images whose height or width is no multiple of `shrink`.
    """

    space: ClassVar[Literal["unit", "input"]]
    """``unit``: images in [0, 1]. ``input``: the teacher's normalised input, which needs no `Normaliser`."""
    start_factor: ClassVar[int] = 1
    """The linear layer makes so many times ``width`` channels."""
    shrink: ClassVar[int] = 4

    def __init__(self, task: Task, nz: int, width: int = 128) -> None:
        super().__init__()
        channels, height, width_px = task.shape
        if height % self.shrink or width_px % self.shrink:
            raise ValueError(
                f"{type(self).__name__} makes images whose height and width are multiples of {self.shrink}, "
                f"not {height} × {width_px}"
            )
        self.start = (self.start_factor * width, height // self.shrink, width_px // self.shrink)
        self.linear = nn.Linear(nz, self.start[0] * self.start[1] * self.start[2])
        self.first_norm = nn.BatchNorm2d(self.start[0])
        self.body = nn.Sequential(*self._layers(width, channels))

    def forward(self, z: Tensor) -> Tensor:
        """Images [B, C, H, W] in ``space`` for latents ``z`` [B, nz]."""
        images: Tensor = self.body(self.first_map(z))
        return images

    def first_map(self, z: Tensor) -> Tensor:
        """What the layers of `_layers` start from: [B, *start]."""
        start = self.linear(z).unflatten(1, self.start).contiguous(memory_format=torch.channels_last)
        normalised: Tensor = self.first_norm(start)
        return normalised

    @abstractmethod
    def _layers(self, width: int, channels: int) -> list[nn.Module]:
        """The layers after the first batch norm."""

    @abstractmethod
    def _end(self, channels: int) -> list[nn.Module]:
        """The layers after the last convolution."""


class UpsamplingGenerator(ImageGenerator):
    """Nearest upsampling and 3×3 convolutions, for images of 32 × 32.

    Twice upsampling, convolution, batch norm and LeakyReLU, to ``width`` and to half of it; a convolution to the
    image's channels; what `_end` adds.
    """

    conv_bias: ClassVar[bool] = True
    """Whether the two convolutions before a batch norm have a bias."""
    inner_eps: ClassVar[float] = 1e-5
    """Of the batch norms after these two."""

    def _layers(self, width: int, channels: int) -> list[nn.Module]:
        half = width // 2
        return [
            *self._upsample(self.start[0], width),
            *self._upsample(width, half),
            nn.Conv2d(half, channels, 3, padding=1),
            *self._end(channels),
        ]

    def _upsample(self, inputs: int, outputs: int) -> list[nn.Module]:
        return [
            UpsampledConvolution(inputs, outputs, bias=self.conv_bias),
            nn.BatchNorm2d(outputs, eps=self.inner_eps),
            nn.LeakyReLU(0.2),
        ]


class Generator(UpsamplingGenerator):
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


class DFADGenerator(UpsamplingGenerator):
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


class ZSKTGenerator(UpsamplingGenerator):
    """The generator of ZSKT: no tanh, and a last batch norm that learns; 1,051,145 parameters for nz 100.

    polo5/ZeroShotKnowledgeTransfer, models/generator.py.
    """

    space = "input"

    def _end(self, channels: int) -> list[nn.Module]:
        return [nn.BatchNorm2d(channels)]


class DCGANGenerator(ImageGenerator):
    """``GeneratorB`` of DFAD's experiments on images of 128 × 128: 11,243,203 parameters for nz 256 at width 64.

    VainF/Data-Free-Adversarial-Distillation, network/gan.py. Four transposed convolutions, each with batch norm and
    LeakyReLU, take a sixteenth of the size and 8 · ``width`` channels to 4, 2, 1 and 1 times ``width``; a 3×3
    convolution; tanh. The teacher's input is then in [-1, 1], as mean 0.5 and standard deviation 0.5 make it.
    """

    space: ClassVar[Literal["unit", "input"]] = "input"
    start_factor = 8
    shrink = 16

    def __init__(self, task: Task, nz: int, width: int = 64) -> None:
        super().__init__(task, nz, width)
        initialise(self)

    def _layers(self, width: int, channels: int) -> list[nn.Module]:
        widths = [8 * width, 4 * width, 2 * width, width, width]
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.LeakyReLU(0.2),
            ]
        return [*layers, nn.Conv2d(width, channels, 3, padding=1), *self._end(channels)]

    def _end(self, channels: int) -> list[nn.Module]:
        return [nn.Tanh()]


class DCGANUnitGenerator(DCGANGenerator):
    """`DCGANGenerator` with a sigmoid at its end, as in the CMI and Fast repositories, for any mean and deviation."""

    space = "unit"

    def _end(self, channels: int) -> list[nn.Module]:
        return [nn.Sigmoid()]


@torch.no_grad()
def initialise(generator: nn.Module, random: torch.Generator | None = None) -> None:
    """DCGAN's start: weights N(0, 0.02), those of batch norm N(1, 0.02), biases 0; batch norms without weights stay.

    CMI, datafree/synthesis, starts its generator so in every round.

    Args:
        random: None for PyTorch's global generator.
    """
    for layer in generator.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d) and layer.weight is not None:
            centre = 1.0 if isinstance(layer, nn.BatchNorm2d) else 0.0
            nn.init.normal_(layer.weight, centre, 0.02, generator=random)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def for_task(task: Task) -> type[ImageGenerator]:
    """The generator of images in [0, 1] which methods with a pool use: `Generator` up to 64 pixels, DCGAN's beyond.

    The choice and the limit are ours. For 3 × 128 × 128 images `Generator`'s linear layer alone would have 33,685,504
    parameters, three times those of the whole twin.
    """
    return Generator if max(task.shape[1:]) <= 64 else DCGANUnitGenerator


KINDS: dict[str, type[ImageGenerator]] = {
    "fast": Generator,
    "cmi": LargeGenerator,
    "dafl": DAFLGenerator,
    "dfad": DFADGenerator,
    "zskt": ZSKTGenerator,
    "dcgan": DCGANGenerator,
    "dcgan-unit": DCGANUnitGenerator,
}
"""Generators by the name that a method's configuration gives them."""
