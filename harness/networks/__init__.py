"""Networks by name. Listing and hashing them needs no torch; `build` does.

A file of this folder registers its networks: its dictionary NETWORKS maps names to functions of (classes, channels).

Every network maps images [B, C, H, W] to logits [B, classes]. With ``return_features=True`` it returns three things:
the logits, the pooled penultimate features [B, F], and its stages, a tuple of activations [B, C', H', W']: the stem's
output, then the output at the end of each stage. Networks for dense prediction (deeplab.py) give logits
[B, classes, H, W] and features [B, F, h, w].
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from harness.registry import registered

if TYPE_CHECKING:
    from torch import Tensor, nn

    from methods.base.task import Task

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """All known networks."""
    return list(_files())


def source(name: str) -> Path:
    """The file that defines a network."""
    return _files()[name]


def build(name: str, classes: int, channels: int = 3) -> nn.Module:
    """A freshly initialised network for images with ``channels`` channels."""
    network: nn.Module = _module(name).NETWORKS[name](classes, channels)
    return network


def for_task(name: str, task: Task) -> nn.Module:
    """A freshly initialised network for the task's classes and channels."""
    return build(name, task.classes, task.shape[0])


def load_backbone(name: str, network: nn.Module, weights: Mapping[str, Tensor]) -> None:
    """Fill a network's backbone with ImageNet weights. Raises ValueError if it has none, or if they do not fit."""
    module = _module(name)
    if not hasattr(module, "load_backbone"):
        raise ValueError(f"{name} has no backbone that could start from a file")
    module.load_backbone(network, weights)


def _files() -> dict[str, Path]:
    return registered(FOLDER, "NETWORKS")


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"harness.networks.{source(name).stem}")
