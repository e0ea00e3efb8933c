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


def check_finite(network: nn.Module, name: str, advice: str) -> None:
    """Raise UserError that names the first weights with NaN or infinite values, if there are any."""
    bad = [key for key, value in network.state_dict().items() if not value.isfinite().all()]
    if bad:
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise UserError(f"{name}: NaN or infinite values in {bad[0]}{more}; {advice}")


def save_weights(network: nn.Module, path: Path) -> None:
    """Write a network's parameters and buffers, atomically."""
    write_with(path, lambda temporary: save_model(network, str(temporary)))
