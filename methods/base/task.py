"""What a method may know of the data: shape, classes and size of it; references get the images too."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

IGNORED = 255
"""Label of a pixel that does not count."""


def ignored(labels: Tensor) -> int:
    """The label that does not count: `IGNORED` of pixels [n, H, W]; one that no image has, where each has one [n]."""
    return IGNORED if labels.dim() > 1 else -1


@dataclass(frozen=True)
class Task:
    """All that a data-free method may know of the data besides the teacher."""

    classes: int
    shape: tuple[int, int, int]
    """Channels, height, width of an image."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    """Per channel, of images in [0, 1]; the teacher's input is (image - mean) / std."""
    pad: int
    """Zero padding in pixels before a random crop, the task's augmentation."""
    flip: bool
    """Whether the augmentation mirrors images."""
    reference_size: int
    """How many images 100 % stand for."""
    class_names: tuple[str, ...] = ()
    """What the classes are called, label by label; every dataset of the bench says it."""
    dense: bool = False
    """Whether every pixel is classified: logits [B, classes, H, W] instead of [B, classes]."""

    def images(self, scale: float) -> int:
        """N, the number of images at a data scale in (0, 1]: max(1, round(scale × reference size))."""
        return max(1, round(scale * self.reference_size))


@dataclass(frozen=True)
class RealImages:
    """What a reference gets, and a data-free method never does."""

    images: Tensor
    """uint8 [N, C, H, W] on the device: the subset of this data scale."""
    labels: Tensor
    """int64 [N]; in dense tasks [N, H, W], where pixels labelled `IGNORED` do not count."""
