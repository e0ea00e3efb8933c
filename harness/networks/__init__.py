"""Networks by name. Listing and hashing them needs no torch; `build` does.

A file of this folder registers its networks: its dictionary NETWORKS maps names to functions of (classes, channels).
Others are torchvision's, timm's and one's own: `spec.py` says how they are named.

Every network maps images [B, C, H, W] to logits [B, classes]. With ``return_features=True`` it returns three things:
the logits, the pooled penultimate features [B, F], and its stages, a tuple of activations [B, C', H', W']: the stem's
output, then the output at the end of each stage; and a fourth where the features are not the last stage's mean over
its pixels: the map [B, F, h, w] of which they are. Networks for dense prediction (deeplab.py) give logits
[B, classes, H, W] and features [B, F, h, w].
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from harness.errors import UserError, describe
from harness.networks.spec import FOLDER, UnknownNetwork, check, parse, version
from harness.registry import registered

if TYPE_CHECKING:
    from torch import Tensor, nn

    from methods.base.task import Task

__all__ = ["UnknownNetwork", "build", "check", "file", "for_task", "load_backbone", "names", "source", "version"]


def names() -> list[str]:
    """All networks of the bench itself."""
    return list(_files())


def source(network: str) -> Path:
    """The file of the bench that defines a network, or that makes it of what others have. Raises UnknownNetwork."""
    check(network)
    origin = parse(network).origin
    if origin == "ours":
        return _files()[network]
    return FOLDER / ("from_file.py" if origin == "file" else f"{origin}_models.py")


def file(network: str) -> Path | None:
    """One's own file that has a network; None for all others."""
    return parse(network).file


def build(network: str, classes: int, channels: int = 3) -> nn.Module:
    """A freshly initialised network for images with ``channels`` channels.

    Raises UserError if a network that is not ours cannot be made.
    """
    module, spec = _module(source(network)), parse(network)
    made: nn.Module
    if spec.origin == "ours":
        made = module.NETWORKS[network](classes, channels)
        return made
    try:
        if spec.file:
            made = module.build(spec.file, spec.name, classes, channels)
        else:
            made = module.build(spec.name, classes, channels, spec.small)
    except (MemoryError, OSError):
        raise
    except Exception as error:
        raise UserError(f"{network}: cannot be made for {classes} classes: {describe(error)}") from error
    return made


def for_task(network: str, task: Task) -> nn.Module:
    """A freshly initialised network for the task's classes and channels."""
    return build(network, task.classes, task.shape[0])


def load_backbone(name: str, network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Fill a network's backbone with ImageNet weights. Raises ValueError if it has none, or if they do not fit."""
    module = _module(source(name))
    if not hasattr(module, "load_backbone"):
        raise ValueError(f"{name} has no backbone that could start from a file")
    module.load_backbone(network, weights)


def _files() -> dict[str, Path]:
    return registered(FOLDER, "NETWORKS")


def _module(file: Path) -> ModuleType:
    return importlib.import_module(f"harness.networks.{file.stem}")
