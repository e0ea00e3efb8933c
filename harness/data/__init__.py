"""Datasets by name. Listing them needs no torch; `load` does."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.data.dataset import Dataset

_MODULES = {"digits": "digits", "digits-tuning": "digits"}
"""Dataset -> module of this folder; the module's DATASETS maps the name to a function that returns a Dataset."""


def names() -> list[str]:
    """All known datasets."""
    return list(_MODULES)


def load(name: str) -> Dataset:
    """A dataset: its description at once, its images when asked for."""
    module = importlib.import_module(f"harness.data.{_MODULES[name]}")
    dataset: Dataset = module.DATASETS[name]()
    return dataset
