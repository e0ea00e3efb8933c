"""Takes a teacher that was trained elsewhere: `dkd train-teacher --import FILE`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from harness import data, networks
from harness.errors import UserError
from harness.machine.devices import choose_device
from harness.store.checksums import sha256
from harness.store.layout import Results
from harness.store.records import TeacherRecord
from harness.teachers import shelf

SHOWN = 5
"""Keys named in an error."""


def take(
    dataset: str,
    network: str,
    file: Path,
    *,
    renamings: Sequence[str] = (),
    results: Path,
    replace: bool = False,
    changes: Mapping[str, Any] | None = None,
    verify_data: bool = True,
) -> TeacherRecord:
    """Store a checkpoint that was trained elsewhere as the teacher, after measuring it.

    Raises UserError if there is a teacher already, if the file does not fit, or if it is below its floor.
    """
    folder = Results(results).teacher(dataset, network)
    if not replace and folder.record.exists():
        raise UserError(
            f"{folder.path}: there is a teacher already; --replace takes the new one, and its results become stale"
        )
    loaded, device = data.load(dataset, verify_data), choose_device("auto")
    recipe = loaded.teachers.recipe_for(network, changes or {})
    model = load_foreign(networks.for_task(network, loaded.task), file, renamings).to(device).eval()
    return shelf.put(folder, model, loaded, device, recipe, imported=sha256(file))


def load_foreign(network: nn.Module, file: Path, renamings: Sequence[str] = ()) -> nn.Module:
    """Fill ``network`` from a plain state dict (torch.save) or a safetensors file; no code of the file is executed.

    Args:
        network: of the registered architecture.
        file: a state dict, or a dictionary that holds one under `state_dict` or `model`.
        renamings: ``pattern=replacement`` each, regular expressions applied to the file's keys in this order.

    Raises UserError if the file cannot be read, or says which keys are missing, left over or of another shape.
    """
    weights = _read(file)
    for renaming in renamings:
        pattern, equals, replacement = renaming.partition("=")
        if not equals:
            raise UserError(f"--rename {renaming}: write it as pattern=replacement, such as --rename '^module\\.='")
        weights = {_renamed(pattern, replacement, key): value for key, value in weights.items()}
    _check_fit(network, weights, file)
    network.load_state_dict(weights)
    return network


def _read(file: Path) -> dict[str, Tensor]:
    if not file.is_file():
        raise UserError(f"--import {file}: no such file")
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        found = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - torch and safetensors raise many types for a file they do not understand
        reason = str(error).splitlines()[0]
        raise UserError(f"--import {file}: cannot be read as weights: {reason}") from None
    for key in ("state_dict", "model"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not all(isinstance(value, Tensor) for value in found.values()):
        raise UserError(f"--import {file}: not a state dict: expected names and tensors")
    return found


def _renamed(pattern: str, replacement: str, key: str) -> str:
    try:
        return re.sub(pattern, replacement, key)
    except re.error as error:
        raise UserError(f"--rename {pattern}={replacement}: {error}") from None


def _check_fit(network: nn.Module, weights: dict[str, Tensor], file: Path) -> None:
    wanted = network.state_dict()
    missing, left_over = sorted(wanted.keys() - weights.keys()), sorted(weights.keys() - wanted.keys())
    if missing or left_over:
        problem = f"{_listed(missing)} of the network are not in it, {_listed(left_over)} of it are not in the network"
        raise UserError(f"--import {file}: {problem}; --rename pattern=replacement renames its keys")
    for key, value in wanted.items():
        if value.shape != weights[key].shape:
            raise UserError(f"--import {file}: {key} has shape {tuple(weights[key].shape)}, not {tuple(value.shape)}")


def _listed(keys: list[str]) -> str:
    shown = ", ".join(keys[:SHOWN]) + (", ..." if len(keys) > SHOWN else "")
    return f"{len(keys)} keys ({shown})" if keys else "0 keys"
