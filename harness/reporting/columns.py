"""A run as flat columns: what a row of the notebook's frame holds, and what a filter goes by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.errors import ConfigError
from harness.reporting.runs import DamagedRun, RecordedRun, Run, WaitingRun
from harness.store.layout import CellName
from harness.store.records import Flops, Metrics, Record, Seconds, to_json

IDENTITY = ("study", "dataset", "teacher", "student", "label", "scale", "seed")
NESTED: dict[str, type[Record]] = {"seconds": Seconds, "cpu_seconds": Seconds, "flops": Flops}
COLUMNS = (
    *(name for name in Metrics.model_fields if name not in NESTED),
    *(f"{outer}.{name}" for outer, model in NESTED.items() for name in model.model_fields),
    *("cost", "overloaded", "commit", "dirty", "attempts", "config", "sources", "mlflow_run_id", "path", "expected"),
)
"""Every column. ``cost`` is end to end, in seconds: on cores on a CPU, on the wall on a GPU. ``config`` and
``sources`` are the manifest's, as canonical JSON text."""


def of(run: Run) -> dict[str, Any]:
    """What is known of a run, column by column; what is not known is None or left out."""
    known = _of_recorded(run) if isinstance(run, RecordedRun) else _of_missing(run)
    return known | {"path": str(run.folder.path), "expected": run.expected}


def select(runs: Sequence[Run], only: Mapping[str, Sequence[str]]) -> list[Run]:
    """The runs whose columns hold one of the accepted values.

    Args:
        only: column -> accepted values, as text; all columns must agree for a run to stay.

    Raises:
        ConfigError: ``only`` names a column or a value that is not there.
    """
    printed = [{column: _text(known.get(column)) for column in COLUMNS} for known in map(of, runs)]
    for column, wanted in only.items():
        if column not in COLUMNS:
            raise ConfigError(f"only {column}", "no such column", column, COLUMNS)
        there = {line[column] for line in printed}
        for value in wanted:
            if value not in there:
                raise ConfigError(f"only {column}={value}", "no run has this value", value, sorted(there))
    accepted = [all(line[column] in wanted for column, wanted in only.items()) for line in printed]
    return [run for run, stays in zip(runs, accepted, strict=True) if stays]


def flatten(record: Record, *nested: str) -> dict[str, Any]:
    """Field -> value, with ``seconds.startup`` and its like in place of each of the ``nested`` fields."""
    flat = record.model_dump()
    for outer in nested:
        flat |= {f"{outer}.{name}": value for name, value in (flat.pop(outer) or {}).items()}
    return flat


def _of_recorded(run: RecordedRun) -> dict[str, Any]:
    known = flatten(run.metrics, *NESTED)
    known |= {"cost": run.metrics.cost.end_to_end, "overloaded": run.metrics.overloaded}
    known |= {"mlflow_run_id": run.mlflow_run, "config": to_json(run.config), "sources": to_json(run.sources)}
    return known | {"commit": run.last.commit, "dirty": run.last.dirty, "attempts": run.manifest.begun}


def _of_missing(run: DamagedRun | WaitingRun) -> dict[str, Any]:
    planned = {"method": run.method} if isinstance(run, WaitingRun) else {}
    return _identity(run.name) | {"cell": str(run.name), "status": run.status, "reason": run.reason} | planned


def _identity(name: CellName) -> dict[str, Any]:
    values = (name.study, name.dataset, name.pair.teacher, name.pair.student, name.label, name.scale, name.seed)
    return dict(zip(IDENTITY, values, strict=True))


def _text(value: object) -> str:
    """A value as it is typed in a filter. What is not known is ``nan``, as the notebook's frame shows it."""
    if value is None:
        return "nan"
    return f"{value:g}" if isinstance(value, float) else str(value)
