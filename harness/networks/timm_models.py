"""Timm's classifiers as networks of the bench: without weights. timm need not be installed for anything else."""

from __future__ import annotations

import importlib

from torch import nn

from harness.networks.featured import featured
from harness.networks.stem import small_stem


def build(name: str, classes: int, channels: int, small: bool) -> nn.Module:
    """A freshly initialised model. Raises ValueError if it cannot be made for these images."""
    create_model = importlib.import_module("timm").create_model
    network: nn.Module = create_model(name, pretrained=False, num_classes=classes, in_chans=channels)
    if small:
        small_stem(network, f"timm:{name}")
    return featured(network, classes)
