"""Weights of networks on disk, as safetensors."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import nn

from harness.errors import UserError
from harness.store.atomic import write_with


def load_weights(network: nn.Module, path: Path) -> nn.Module:
    """Load safetensors into a network. Raises UserError if the file is damaged or does not fit."""
    try:
        load_model(network, path)
    except (SafetensorError, RuntimeError) as error:
        raise UserError(f"{path}: cannot be loaded: {error}") from None
    return network


def save_weights(network: nn.Module, path: Path) -> None:
    """Write a network's parameters and buffers, atomically."""
    write_with(path, lambda temporary: save_model(network, str(temporary)))
