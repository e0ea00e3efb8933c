"""Networks by name. Listing and hashing them needs no torch; `build` does.

Every network maps images [B, C, H, W] to logits [B, classes]. With ``return_features=True`` it returns three things:
the logits, the pooled penultimate features [B, F], and its stages, a tuple of activations [B, C', H', W']: the stem's
output, then the output at the end of each stage. Networks for dense prediction (deeplab.py) give logits
[B, classes, H, W] and features [B, F, h, w].
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

_MODULES = {
    "wrn10_1": "wrn",
    "wrn16_1": "wrn",
    "wrn16_2": "wrn",
    "wrn40_1": "wrn",
    "wrn40_2": "wrn",
    "resnet18": "resnet",
    "resnet34": "resnet",
    "vgg11": "vgg",
    "cnn3_16": "small",
    "deeplabv3_resnet50": "deeplab",
    "deeplabv3_mobilenetv2": "deeplab",
}
"""Network -> module of this folder; the module's NETWORKS maps the name to a function of (classes, channels)."""


def names() -> list[str]:
    """All known networks."""
    return list(_MODULES)


def source(name: str) -> Path:
    """The file that defines a network."""
    return Path(__file__).with_name(f"{_MODULES[name]}.py")


def build(name: str, classes: int, channels: int = 3) -> nn.Module:
    """A freshly initialised network for images with ``channels`` channels."""
    module = importlib.import_module(f"harness.networks.{_MODULES[name]}")
    network: nn.Module = module.NETWORKS[name](classes, channels)
    return network


def load_backbone(name: str, network: nn.Module, file: Path) -> None:
    """Fill a network's backbone from a local file with ImageNet weights. Raises ValueError if it has none."""
    module = importlib.import_module(f"harness.networks.{_MODULES[name]}")
    if not hasattr(module, "load_backbone"):
        raise ValueError(f"{name} has no backbone that could start from a file")
    module.load_backbone(network, file)
