"""Results folders as data frames for a notebook: one tidy row per run, one tidy row per evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from harness.reporting import columns, runs
from harness.reporting.columns import COLUMNS, IDENTITY
from harness.store.layout import RunFolder


def load(results: str | Path, only: Mapping[str, Sequence[str]] = {}) -> pd.DataFrame:
    """All runs under ``results``, one row each, in name order.

    Args:
        results: a results folder.
        only: column -> accepted values, as text; all columns must agree for a row to stay.

    Returns:
        The columns ``COLUMNS``: every field of the metrics (``seconds.*`` on the wall, ``cpu_seconds.*`` on cores and
        ``flops.*`` flattened), the ``cost`` in seconds, whether the machine was ``overloaded``, ``commit`` and
        ``dirty`` of the last attempt, the number of ``attempts``, ``path`` of the run's folder, and ``expected``, the
        number of distinct seeds of the study (before ``only``).
        A record that cannot be read is a row with status ``damaged`` and the reason; a planned cell without a result
        is one with status ``waiting``.

    Raises:
        UserError: there is no such folder.
        ConfigError: ``only`` names a column or a value that is not there.
    """
    selected = columns.select(runs.load(Path(results)), only)
    return pd.DataFrame([columns.of(run) for run in selected], columns=list(COLUMNS))


def curves(frame: pd.DataFrame) -> pd.DataFrame:
    """The evaluations of every run in ``frame``, one row each.

    Columns: the run's identity, the event's fields, ``seconds.*``, ``cpu_seconds.*`` and ``cost`` (totals so far), and
    one column per logged quantity, such as ``synthesis.bn``. Runs whose events are damaged are left out with a warning.
    """
    recorded = frame[frame["key"].notna()]
    lines = [
        dict(zip(IDENTITY, identity, strict=True))
        | columns.flatten(event, "seconds", "cpu_seconds", "synthesis", "distillation")
        | {"cost": event.cost(device).end_to_end}
        for *identity, device, path in recorded[[*IDENTITY, "device", "path"]].itertuples(index=False)
        for event in runs.evaluations(RunFolder(Path(path)))
    ]
    return pd.DataFrame(lines, columns=None if lines else [*IDENTITY, "epoch", "cost", "metric"])
