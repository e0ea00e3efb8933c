"""Datasets by name. Listing them needs no torch; `load` does.

A file of this folder registers its datasets: its dictionary DATASETS maps names to functions of (folder, verify). The
images lie in the folder ``data``, or in the one that the environment variable DKD_DATA names: what `dkd prepare NAME`
downloads or makes, or what was there before (docs/add-a-dataset.md).
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from harness.registry import registered

if TYPE_CHECKING:
    from harness.data.dataset import Dataset

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """All known datasets."""
    return list(registered(FOLDER, "DATASETS"))


def folder() -> Path:
    """Where the files of all datasets lie."""
    return Path(os.environ.get("DKD_DATA", "data"))


def load(name: str, verify: bool = True) -> Dataset:
    """A dataset: its description at once, its images when asked for.

    Args:
        name: one of `names`.
        verify: whether files must have their official checksums.
    """
    module = importlib.import_module(f"harness.data.{registered(FOLDER, 'DATASETS')[name].stem}")
    dataset: Dataset = module.DATASETS[name](folder(), verify)
    return dataset
