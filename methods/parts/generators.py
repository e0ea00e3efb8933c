"""Image generators, for any task whose height and width are multiples of 4."""

from __future__ import annotations

from torch import Tensor, nn

from methods.base import Task


class Generator(nn.Module):
    """The generator of CMI and Fast: latent [B, nz] to images [B, C, H, W] in [0, 1].

    Fast-Datafree, datafree/models/generator.py: 2,328,899 parameters for nz 256 and 3 × 32 × 32 images at width 128.
    Narrower widths are ours, for small images.
    """

    def __init__(self, task: Task, nz: int = 256, width: int = 128) -> None:
        super().__init__()
        channels, height, width_px = task.shape
        self.start = (width, height // 4, width_px // 4)
        self.linear = nn.Linear(nz, width * (height // 4) * (width_px // 4))
        self.first_norm = nn.BatchNorm2d(width)
        self.body = nn.Sequential(
            nn.Upsample(scale_factor=2),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.LeakyReLU(0.2),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(width, width // 2, 3, padding=1, bias=False),
            nn.BatchNorm2d(width // 2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width // 2, channels, 3, padding=1),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Images for latents ``z`` [B, nz]."""
        images: Tensor = self.body(self.first_norm(self.linear(z).unflatten(1, self.start))).sigmoid()
        return images


class DAFLGenerator(nn.Module):
    """The generator of DAFL: latent [B, nz] to the teacher's input [B, C, H, W], not to [0, 1].

    huawei-noah/Efficient-Computing, Data-Efficient-Model-Compression/DAFL: 8,423,939 parameters for nz 1000 and
    3 × 32 × 32 images. The last batch norm has no affine part, so every batch has mean 0 and variance 1 per channel.
    The two inner ones have eps 0.8, which the authors' code passes by position.
    """

    def __init__(self, task: Task, nz: int = 1000, width: int = 128) -> None:
        super().__init__()
        channels, height, width_px = task.shape
        self.start = (width, height // 4, width_px // 4)
        self.linear = nn.Linear(nz, width * (height // 4) * (width_px // 4))
        self.body = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(width, width, 3, padding=1),
            nn.BatchNorm2d(width, eps=0.8),
            nn.LeakyReLU(0.2),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(width, width // 2, 3, padding=1),
            nn.BatchNorm2d(width // 2, eps=0.8),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width // 2, channels, 3, padding=1),
            nn.Tanh(),
            nn.BatchNorm2d(channels, affine=False),
        )

    def forward(self, z: Tensor) -> Tensor:
        """Inputs for the teacher from latents ``z`` [B, nz]."""
        inputs: Tensor = self.body(self.linear(z).unflatten(1, self.start))
        return inputs
