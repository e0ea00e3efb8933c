"""Torchvision's classifiers as networks of the bench: without weights, for any number of classes and channels."""

from __future__ import annotations

import warnings

from torch import nn

from harness.networks.featured import featured
from harness.networks.stem import for_channels, small_stem

WITHOUT_AUXILIARY = {name: {"aux_logits": False, "init_weights": True} for name in ("googlenet", "inception_v3")}
"""Their second and third classifiers, which only training would use, are left out."""


def build(name: str, classes: int, channels: int, small: bool) -> nn.Module:
    """A freshly initialised model. Raises ValueError if it cannot be made for these images."""
    from torchvision.models import get_model  # takes seconds to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network = get_model(name, weights=None, num_classes=classes, **WITHOUT_AUXILIARY.get(name, {}))
    for_channels(network, channels)
    if small:
        small_stem(network, f"torchvision:{name}")
    return featured(network, classes)
