"""Networks of one's own: a function of (classes, channels) in a file outside the bench."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from harness.networks.featured import featured
from methods.base import outside


def build(file: Path, function: str, classes: int, channels: int) -> nn.Module:
    """What the function makes. Raises BrokenFile or ValueError if it makes no network."""
    make = getattr(outside.load(file), function, None)
    if not callable(make):
        raise ValueError(f"{file}: no function {function} in it")
    network = make(classes, channels)
    if not isinstance(network, nn.Module):
        raise ValueError(f"{file}: {function}(classes, channels) gives {type(network).__name__}, not an nn.Module")
    return featured(network, classes)
