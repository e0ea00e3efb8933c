"""A run as flat columns: what a row of the notebook's frame holds, and what a filter goes by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from harness.errors import ConfigError, UserError, nearest
from harness.reporting import names
from harness.reporting.runs import DamagedRun, RecordedRun, Run, WaitingRun
from harness.reporting.usual import TOLD, USUAL
from harness.store.layout import CellName
from harness.store.records import Flops, Metrics, Record, Seconds, to_json

IDENTITY = ("study", "dataset", "teacher", "student", "label", "scale", "seed")
NESTED: dict[str, type[Record]] = {"seconds": Seconds, "cpu_seconds": Seconds, "flops": Flops}
CONFIG = "config."
"""Before the name of a hyperparameter; which there are depends on the methods."""
PRINTED = {
    "method_name": "The label as printed: `Fast-2` for `fast-2`.",
    "dataset_name": "The dataset as printed: `CIFAR-10` for `cifar10`.",
    "pair_name": "Teacher and student as printed: `WRN-40-2 → WRN-16-1`.",
}
DERIVED = {
    "cost": "Seconds end to end, start-up + synthesis + distillation: on cores on a CPU, on the wall on a GPU.",
    "overloaded": "Whether the machine had so much else to do that the seconds say little about the method.",
    "commit": "Of the last attempt's checkout.",
    "dirty": "Whether that had changes that were not committed.",
    "attempts": "How many processes worked on the run.",
    "sources": "File → sha256 of the code that ran, as JSON.",
    "mlflow_run_id": "Which MLflow run shows it, if `dkd sync` has seen it.",
    "path": "The run's folder; its cell's where there is no run that can be read.",
    "expected": "How many seeds the study has.",
}
"""What is no field of the metrics -> what it is."""
_ALL = (
    *PRINTED,
    *USUAL,
    *(name for name in Metrics.model_fields if name not in NESTED),
    *(f"{outer}.{name}" for outer, model in NESTED.items() for name in model.model_fields),
    *DERIVED,
)
COLUMNS = tuple(dict.fromkeys(_ALL))
"""Every column but those of hyperparameters. docs/frame.md says what they are."""


def of(run: Run) -> dict[str, Any]:
    """What is known of a run, column by column; what is not known is None or left out."""
    known = _of_recorded(run) if isinstance(run, RecordedRun) else _of_missing(run)
    return known | _printed(run.name, known.get("method")) | {"path": str(run.folder.path), "expected": run.expected}


def filters(items: Sequence[str]) -> dict[str, list[str]]:
    """Column -> accepted values, of texts such as ``method=ssd-kd,dafl``. Raises UserError for what is none."""
    found: dict[str, list[str]] = {}
    for item in items:
        column, equals, values = item.partition("=")
        if not equals:
            raise UserError(
                f"--only {item}: write it as column=value,value, such as --only method=ssd-kd\n  columns: {TOLD}"
            )
        found.setdefault(column, []).append(values)
    return found


def select(runs: Sequence[Run], only: Mapping[str, object]) -> list[Run]:
    """The runs whose columns hold one of the accepted values.

    Args:
        only: column -> the accepted value, or several, as they are or as text; a run must have one of each column.

    Raises:
        ConfigError: ``only`` names a column or a value that is not there.
    """
    known = [of(run) for run in runs] if only else []
    columns = dict.fromkeys([*COLUMNS, *(column for line in known for column in line)])
    accepted = [True] * len(runs)
    for column, given in only.items():
        if column not in columns:
            raise ConfigError(f"only {column}", f"no such column{nearest(column, columns)}\n  the usual ones: {TOLD}")
        printed = [_text(line.get(column)) for line in known]
        wanted = [text for value in _several(given) for text in _listed(_text(value), printed)]
        for value in wanted:
            if value not in printed:
                raise ConfigError(f"only {column}={value}", "no run has this value", value, sorted(set(printed)))
        accepted = [stays and text in wanted for stays, text in zip(accepted, printed, strict=True)]
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
    known |= {"mlflow_run_id": run.mlflow_run, "sources": to_json(run.sources)}
    known |= {"commit": run.last.commit, "dirty": run.last.dirty, "attempts": run.manifest.begun}
    return known | dict(_options(run.config, CONFIG))


def _options(config: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    """Every value by the names that lead to it, with dots between them; a list as JSON, so that it can be compared."""
    for name, value in config.items():
        if isinstance(value, dict):
            yield from _options(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", to_json(value) if isinstance(value, list) else value


def _of_missing(run: DamagedRun | WaitingRun) -> dict[str, Any]:
    planned = {"method": run.method} if isinstance(run, WaitingRun) else {}
    return _identity(run.name) | {"cell": str(run.name), "status": run.status, "reason": run.reason} | planned


def _identity(name: CellName) -> dict[str, Any]:
    values = (name.study, name.dataset, name.pair.teacher, name.pair.student, name.label, name.scale, name.seed)
    return dict(zip(IDENTITY, values, strict=True))


def _printed(name: CellName, method: str | None) -> dict[str, str]:
    values = names.label(name.label, method), names.dataset(name.dataset), names.pair(name.pair)
    return dict(zip(PRINTED, values, strict=True))


def _several(given: object) -> Iterable[object]:
    """The values of a list; one alone, which a text is, as a list of it."""
    return given if isinstance(given, Iterable) and not isinstance(given, str) else [given]


def _listed(value: str, printed: Sequence[str]) -> list[str]:
    """The values of a list with commas; one that a run has may hold commas itself."""
    return [value] if value in printed else value.split(",")


def _text(value: object) -> str:
    """A value as it is typed in a filter. What is not known is ``nan``, as the notebook's frame shows it."""
    if value is None:
        return "nan"
    return f"{value:g}" if isinstance(value, float) else str(value)
