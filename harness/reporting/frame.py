"""Results folders as data frames: one tidy row per run, one tidy row per evaluation."""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from harness.errors import ConfigError, UserError
from harness.records import (
    DamagedRecord,
    Event,
    Flops,
    Manifest,
    Metrics,
    Record,
    Seconds,
    find_metrics,
    read,
    read_events,
    to_json,
)

IDENTITY = ["study", "dataset", "teacher", "student", "label", "scale", "seed"]
NESTED: dict[str, type[Record]] = {"seconds": Seconds, "flops": Flops}
COLUMNS = [
    *(name for name in Metrics.model_fields if name not in NESTED),
    *(f"{outer}.{name}" for outer, model in NESTED.items() for name in model.model_fields),
    *("end_to_end", "commit", "dirty", "attempts", "config", "sources", "mlflow_run_id", "path", "expected"),
]
"""Every column of a frame. ``config`` and ``sources`` are the manifest's, as canonical JSON text."""

_CELL = re.compile(
    r"(?P<study>[^/]+)/(?P<dataset>[^/]+)/(?P<teacher>[^/]+?)--(?P<student>[^/]+)/(?P<label>[^/]+)"
    r"/scale-(?P<scale>\d+(\.\d+)?)/seed-(?P<seed>\d+)"
)


def load(results: str | Path, only: Mapping[str, Sequence[str]] = {}) -> pd.DataFrame:
    """All runs under ``results``, one row each, in name order.

    Args:
        results: a results folder.
        only: column -> accepted values, as text; all columns must agree for a row to stay.

    Returns:
        The columns ``COLUMNS``: every field of the metrics (``seconds.*`` and ``flops.*`` flattened),
        ``end_to_end`` in seconds, ``commit`` and ``dirty`` of the last attempt, the number of ``attempts``,
        ``path`` of the run's folder, and ``expected``, the number of distinct seeds of the study (before ``only``).
        A record that cannot be read is a row with status ``damaged`` and the reason.

    Raises:
        UserError: there is no such folder.
        ConfigError: ``only`` names a column or a value that is not there.
    """
    root = Path(results)
    if not root.is_dir():
        raise UserError(f"{root}: no such results folder")
    rows = [_row(path, match) for path in find_metrics(root) if (match := _match(root, path))]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    frame["expected"] = frame.groupby("study")["seed"].transform("nunique")
    return select(frame, only)


def select(frame: pd.DataFrame, only: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """The rows whose columns hold one of the accepted values. Raises ConfigError like ``load``."""
    keep = pd.Series(True, index=frame.index)
    for column, wanted in only.items():
        if column not in frame:
            raise ConfigError(f"only {column}", "no such column", column, frame.columns)
        text = frame[column].map(_text)
        for value in wanted:
            if value not in set(text):
                raise ConfigError(f"only {column}={value}", "no run has this value", value, sorted(set(text)))
        keep &= text.isin(wanted)
    return frame[keep].reset_index(drop=True)


def curves(frame: pd.DataFrame) -> pd.DataFrame:
    """The evaluations of every run in ``frame``, one row each.

    Columns: the run's identity, the event's fields, ``seconds.*`` and ``end_to_end`` (totals so far, in seconds), and
    one column per logged quantity, such as ``synthesis.bn``. Runs whose events are damaged are left out with a warning.
    """
    runs = frame[frame["status"] != "damaged"]
    rows = [
        dict(zip(IDENTITY, identity, strict=True)) | _flat_event(event)
        for *identity, path in runs[[*IDENTITY, "path"]].itertuples(index=False)
        for event in _events(Path(path))
    ]
    return pd.DataFrame(rows, columns=None if rows else [*IDENTITY, "epoch", "end_to_end", "metric"])


def _match(root: Path, path: Path) -> re.Match[str] | None:
    return _CELL.fullmatch(path.parent.relative_to(root).as_posix())


def _row(path: Path, match: re.Match[str]) -> dict[str, Any]:
    try:
        metrics = read(path, Metrics)
        if metrics.cell != match.group():
            raise DamagedRecord(path, f"is the record of {metrics.cell}")
        run = path.parent / "runs" / metrics.key
        return _flat(metrics) | _provenance(run) | {"path": str(run)}
    except DamagedRecord as error:
        reason = error.reason
    except OSError as error:
        reason = error.strerror or str(error)
    where = match.groupdict() | {"scale": float(match["scale"]), "seed": int(match["seed"])}
    lost = {"cell": match.group(), "status": "damaged", "reason": reason, "path": str(path.parent)}
    return where | lost


def _flat(metrics: Metrics) -> dict[str, Any]:
    flat = metrics.model_dump()
    for outer in NESTED:
        flat |= {f"{outer}.{name}": value for name, value in (flat.pop(outer) or {}).items()}
    return flat | {"end_to_end": metrics.seconds.end_to_end}


def _provenance(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"mlflow_run_id": _mlflow_run(run / "mlflow.json")}
    if not (run / "manifest.json").exists():
        return found
    manifest = read(run / "manifest.json", Manifest)
    found |= {"config": to_json(manifest.config), "sources": to_json(manifest.sources)}
    if manifest.attempts:
        last = manifest.attempts[-1]
        found |= {"commit": last.commit, "dirty": last.dirty, "attempts": len(manifest.attempts)}
    return found


def _mlflow_run(path: Path) -> str | None:
    """Written by the MLflow sync, after the run: its absence or damage says nothing about the run."""
    try:
        return str(json.loads(path.read_bytes())["run_id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _events(run: Path) -> list[Event]:
    try:
        return read_events(run / "events.jsonl")
    except DamagedRecord as error:
        warnings.warn(str(error), stacklevel=3)
        return []


def _flat_event(event: Event) -> dict[str, Any]:
    flat = event.model_dump()
    for outer in ("seconds", "synthesis", "distillation"):
        flat |= {f"{outer}.{name}": value for name, value in flat.pop(outer).items()}
    return flat | {"end_to_end": event.seconds.end_to_end}


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
