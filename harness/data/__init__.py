"""Datasets by name. Listing them needs no torch; `load` does.

Their files lie in the folder ``data``, or in the one that the environment variable DKD_DATA names: what
`dkd prepare NAME` downloads or makes, or what was there before (docs/add-a-dataset.md).
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.data.dataset import Dataset

_MODULES = {"digits": "digits", "digits-tuning": "digits", "cifar10": "cifar", "cifar100": "cifar", "nyuv2": "nyuv2"}
"""Dataset -> module of this folder; the module's DATASETS maps the name to a function of (folder, verify)."""


def names() -> list[str]:
    """All known datasets."""
    return list(_MODULES)


def folder() -> Path:
    """Where the files of all datasets lie."""
    return Path(os.environ.get("DKD_DATA", "data"))


def load(name: str, verify: bool = True) -> Dataset:
    """A dataset: its description at once, its images when asked for.

    Args:
        name: one of `names`.
        verify: whether files must have their official checksums.
    """
    module = importlib.import_module(f"harness.data.{_MODULES[name]}")
    dataset: Dataset = module.DATASETS[name](folder(), verify)
    return dataset
