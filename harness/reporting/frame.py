"""Results folders as data frames for a notebook: one tidy row per run, one tidy row per evaluation."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from harness.reporting import columns, runs
from harness.reporting.columns import COLUMNS, CONFIG, IDENTITY, PRINTED
from harness.store import place
from harness.store.layout import RunFolder

KEPT = (*PRINTED, *IDENTITY)
"""What every evaluation says of its run."""


def load(results: str | Path, only: Mapping[str, object] = {}) -> pd.DataFrame:
    """All runs under ``results``, one row each, in name order.

    Args:
        results: a results folder.
        only: column -> the accepted value, or several; all columns must agree for a row to stay.

    Returns:
        The columns ``COLUMNS``, which docs/frame.md describes, and a column ``config.NAME`` for every hyperparameter
        that one of the runs has. A record that cannot be read is a row with status ``damaged`` and the reason; a
        planned cell without a result is one with status ``waiting``.

    Raises:
        UserError: there is no such folder.
        ConfigError: ``only`` names a column or a value that is not there.
    """
    found = runs.load(Path(results).expanduser())
    if not found:
        warnings.warn(f"{results}: no runs{place.elsewhere(Path(results).expanduser())}", stacklevel=2)
    lines = [columns.of(run) for run in columns.select(found, only)]
    options = sorted({column for line in lines for column in line if column.startswith(CONFIG)})
    return pd.DataFrame(lines, columns=[*COLUMNS, *options])


def curves(frame: pd.DataFrame) -> pd.DataFrame:
    """The evaluations of every run in ``frame``, one row each.

    Columns: the run's names and identity, the event's fields, ``seconds.*``, ``cpu_seconds.*`` and ``cost`` (totals so
    far), and one column per logged quantity, such as ``synthesis.bn``. Runs whose events are damaged are left out with
    a warning.
    """
    recorded = frame[frame["key"].notna()]
    lines = [
        dict(zip(KEPT, identity, strict=True))
        | columns.flatten(event, "seconds", "cpu_seconds", "synthesis", "distillation")
        | {"cost": event.cost(device).end_to_end}
        for *identity, device, path in recorded[[*KEPT, "device", "path"]].itertuples(index=False)
        for event in runs.evaluations(RunFolder(Path(path)))
    ]
    return pd.DataFrame(lines, columns=None if lines else [*KEPT, "epoch", "cost", "metric"])
