"""All runs behind a row as printed on the page, with everything that tells where a number comes from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.reporting import quantities as q
from harness.reporting import text
from harness.reporting.rows import Row
from harness.reporting.runs import RecordedRun, Run
from harness.reporting.tables import remarks
from harness.store import verdict

SECONDS = (*q.TIMES, *q.BESIDES)
HEAD = (
    *("seed", "status", "last", "best", "cost (s)", "start-up", "synthesis", "distillation", "wall", "CPU"),
    *("evaluation", "waiting", "lost", "attempts", "plan key", "commit", "teacher", "device", "MLflow run", "folder"),
)


@dataclass(frozen=True)
class RunLine:
    """One run; a text per column of ``HEAD``."""

    seed: int
    config: str
    """The part of its configuration that other seeds do not share; mostly empty."""
    done: bool
    status: str
    """With the reason where it is not done, and what else its machine had to do if that was too much."""
    numbers: tuple[str, ...]
    facts: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """One row and its runs."""

    name: str
    about: str
    """Which preset the label runs, why its values are not published ones, if they are not, and its prior if any."""
    config: str
    """What all seeds share, as JSON; empty if nothing is known."""
    runs: tuple[RunLine, ...]


def listing(row: Row) -> Listing:
    """The runs of a row, in seed order."""
    configs = [run.config if isinstance(run, RecordedRun) else {} for run in row.runs]
    common = _common(configs)
    lines = tuple(_line(run, _own(config, common)) for run, config in zip(row.runs, configs, strict=True))
    return Listing(row.name, _about(row), _json(common), lines)


def _common(configs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    first = configs[0]
    return {name: value for name, value in first.items() if all(config.get(name) == value for config in configs)}


def _json(config: dict[str, Any]) -> str:
    return json.dumps(config, sort_keys=True) if config else ""


def _own(config: dict[str, Any], common: dict[str, Any]) -> str:
    return _json({name: value for name, value in config.items() if name not in common})


def _about(row: Row) -> str:
    names = dict.fromkeys(run.metrics.preset for run in row.recorded if run.metrics.preset)
    return "; ".join([*(f"preset {name}" for name in names), *remarks.preset_notes(row), *remarks.priors(row)])


def _line(run: Run, config: str) -> RunLine:
    done = run.status == "done"
    status = _status(run) if isinstance(run, RecordedRun) and done else f"{run.status}: {run.reason or text.NO_REASON}"
    return RunLine(run.name.seed, config, done, status, _numbers(run), (*_facts(run), _place(run)))


def _status(run: RecordedRun) -> str:
    busy = f", machine overloaded: {remarks.overload(run.metrics)}" if run.metrics.overloaded else ""
    return ", ".join(filter(None, [run.status + busy, verdict.words(run.folder)]))


def _numbers(run: Run) -> tuple[str, ...]:
    percents = [_number(run, quantity, ".2f") for quantity in (q.FINAL, q.BEST)]
    seconds = [_number(run, quantity, ".1f") for quantity in SECONDS]
    return (*percents, *seconds, str(run.manifest.begun) if isinstance(run, RecordedRun) else text.NOTHING)


def _number(run: Run, quantity: q.Quantity, form: str) -> str:
    value = quantity.of(run.metrics) if isinstance(run, RecordedRun) else None
    return text.NOTHING if value is None else format(value, form)


def _facts(run: Run) -> tuple[str, ...]:
    if not isinstance(run, RecordedRun):
        return "", text.UNKNOWN, "", "", ""
    metrics = run.metrics
    commit, teacher = text.commit(run.last), text.sha(metrics.teacher_sha256)
    return metrics.plan_key, commit, teacher, metrics.device_name, run.mlflow_run or ""


def _place(run: Run) -> str:
    """The run's folder within its row's."""
    return run.folder.path.relative_to(run.cell.path.parent).as_posix()
