"""The first convolution of a network that somebody else wrote: for other channels, and for small images."""

from __future__ import annotations

import torch
from torch import nn


def for_channels(network: nn.Module, channels: int) -> None:
    """Let the first convolution take images of ``channels`` channels, its weights spread as they were.

    Raises ValueError if it is not one for 3 channels.
    """
    found = next(((name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)), None)
    if channels == 3:
        return
    if found is None or found[1].in_channels != 3:
        raise ValueError("its first convolution does not take 3 channels, so that it cannot be made to take others")
    name, old = found
    new = _like(old, channels)
    with torch.no_grad():
        new.weight.copy_(old.weight[:, torch.arange(channels) % 3])
        if old.bias is not None and new.bias is not None:
            new.bias.copy_(old.bias)
    parent, _, own = name.rpartition(".")
    setattr(network.get_submodule(parent), own, new)


def small_stem(network: nn.Module, name: str) -> None:
    """Give a ResNet, or what begins like one, the stem of small images: 3×3 with stride 1, and no max-pool.

    As for CIFAR in He et al. 2016, section 4.2, and in kuangliu/pytorch-cifar; the weights start as in torchvision's
    ResNets. Raises ValueError if the network does not begin with a 7×7 convolution ``conv1`` and a ``maxpool``.
    """
    old, pool = getattr(network, "conv1", None), getattr(network, "maxpool", None)
    if not (isinstance(old, nn.Conv2d) and old.kernel_size == (7, 7) and pool is not None):
        raise ValueError(f"{name}:small: no stem of small images is known for it; it is for networks like ResNets")
    network.conv1 = nn.Conv2d(old.in_channels, old.out_channels, 3, padding=1, bias=old.bias is not None)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()


def _like(old: nn.Conv2d, channels: int) -> nn.Conv2d:
    return nn.Conv2d(
        channels,
        old.out_channels,
        old.kernel_size,  # type: ignore[arg-type]
        old.stride,  # type: ignore[arg-type]
        old.padding,  # type: ignore[arg-type]
        old.dilation,  # type: ignore[arg-type]
        bias=old.bias is not None,
    )
