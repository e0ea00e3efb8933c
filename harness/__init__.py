"""The bench: runs methods, times them, keeps the records.

In a notebook: ``import harness; runs = harness.load("results")``.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

VERSION = "0.1.0"
"""Of the bench; pyproject.toml takes it from here. Results go by the code's hashes, not by it."""
STARTED = time.monotonic()
"""When this process began to load the bench, on the monotonic clock; a run's start-up is counted from here."""

ROOT = Path(__file__).parent.parent
"""The checkout, or the folder that the bench is installed in."""


def load(results: str | Path = "results", only: Mapping[str, Sequence[str]] = {}) -> pd.DataFrame:
    """All runs of a results folder for a notebook, one row each; docs/frame.md says what the columns are.

    Args:
        results: a results folder.
        only: column -> accepted values, as text, such as ``{"label": ["ssd-kd", "fast-2"]}``.

    Raises UserError, with what to do, if there is no such folder, column or value.
    """
    found: pd.DataFrame = _frame().load(results, only)
    return found


def curves(runs: pd.DataFrame) -> pd.DataFrame:
    """The learning curves of runs that `load` gave: one row per evaluation."""
    found: pd.DataFrame = _frame().curves(runs)
    return found


def _frame() -> Any:
    # Everything imports this package first: what a notebook needs is loaded when it is asked for, by name, as
    # packages import downwards alone.
    return importlib.import_module("harness.reporting.frame")
