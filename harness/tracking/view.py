"""What one run looks like in MLflow: a pure function of its records. Does not import mlflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from harness.store import checking, reading
from harness.store.files import there
from harness.store.layout import CellName, RunFolder, scale_text
from harness.store.records import Event, Manifest, Metrics, TeacherRecord, to_json

LONGEST = 6000
"""Letters of an option that MLflow keeps."""
STATUS = {"done": "FINISHED", "failed": "FAILED", "diverged": "FAILED"}


@dataclass(frozen=True)
class Point:
    """One value of a metric."""

    name: str
    value: float
    time: int
    """Milliseconds since 1970."""
    step: int
    """Epoch."""


@dataclass(frozen=True)
class RunView:
    """One run as it should stand in MLflow."""

    study: str
    name: str
    """What tells runs of a study apart comes first: the UI cuts long names. The cell's name is the tag ``cell``."""
    key: str
    status: str
    start: int
    """Milliseconds since 1970."""
    end: int | None
    """None while it runs."""
    params: dict[str, str]
    tags: dict[str, str]
    points: list[Point]
    samples: Path | None
    outside: dict[str, Path]
    """Copies of files of one's own, by their places."""


def of_run(run: RunFolder, superseded: bool, working: bool) -> RunView:
    """The view of a run.

    Raises DamagedRecord for a record that cannot be read, FileNotFoundError without a manifest.
    """
    result = checking.finished(run) if there(run.metrics) else None
    if result:
        evidence = checking.evidence(run, result, weights=False)
        manifest, events = evidence.manifest, evidence.events
    else:
        manifest, events = reading.read(run.manifest, Manifest), reading.read_events(run)
    identity = _identity(run.cell.name, result)
    status = STATUS[result.status] if result else "RUNNING" if working else "KILLED"
    return RunView(
        study=identity["study"],
        name="{label}/scale-{scale}/seed-{seed} ({dataset}, {pair})".format(**identity),
        key=manifest.key,
        status=status,
        start=_milliseconds(manifest.attempts[0].start),
        end=None if status == "RUNNING" else _end(manifest, result, events),
        params={**dict(_flat(manifest.config)), **identity},
        tags={**_tags(run, manifest, result), **identity, "superseded": "yes" if superseded else "no"},
        points=[*_curves(events, metric_of(run, result)), *_final(result)],
        samples=run.samples if result and run.samples.exists() else None,
        outside={place: file for place in manifest.outside if there(file := run.outside(place))},
    )


def _identity(cell: CellName, result: Metrics | None) -> dict[str, str]:
    """The coordinates of the cell. Params as well as tags: the UI plots and groups by params, and filters by tags."""
    method = {"method": result.method} if result else {}
    return {
        "study": cell.study,
        "dataset": cell.dataset,
        "pair": cell.pair.folder,
        "label": cell.label,
        "scale": scale_text(cell.scale),
        "seed": str(cell.seed),
        **method,
    }


def _tags(run: RunFolder, manifest: Manifest, result: Metrics | None) -> dict[str, str]:
    last = manifest.attempts[-1]
    tags: dict[str, object] = {
        "cell": manifest.cell,
        "cell_key": manifest.key,
        "plan_key": manifest.plan_key,
        "prior": result.prior if result else manifest.prior,
        "teacher_sha256": manifest.teacher_sha256,
        "commit": last.commit,
        "mlflow.source.git.commit": last.commit,
        "dirty": last.dirty,
        "device": last.device,
        "device_name": last.device_name,
        "precision": manifest.precision,
        "host": last.host,
    }
    if result:
        tags |= {"finished": result.finished, "status": result.status, "reason": result.reason}
        tags |= {"student_sha256": result.student_sha256, "overloaded": "yes" if result.overloaded else "no"}
    if result and result.student_sha256:
        tags["student_path"] = run.student.relative_to(run.cell.results.path).as_posix()
    return {name: str(value) for name, value in tags.items() if value is not None}


def _curves(events: list[Event], metric: str) -> Iterator[Point]:
    for event in events:
        values = {
            f"test/{metric}": event.metric,
            "test/agreement": event.agreement,
            "seconds/end_to_end": event.seconds.end_to_end,
            "seconds/synthesis": event.seconds.synthesis,
            "seconds/distillation": event.seconds.distillation,
            "cpu_seconds/end_to_end": event.cpu_seconds.end_to_end,
            "cpu_seconds/synthesis": event.cpu_seconds.synthesis,
            "cpu_seconds/distillation": event.cpu_seconds.distillation,
            **{f"synthesis/{name}": value for name, value in event.synthesis.items()},
            **{f"distillation/{name}": value for name, value in event.distillation.items()},
        }
        for name, value in values.items():
            yield Point(name, value, round(event.time * 1000), event.epoch)


def _final(result: Metrics | None) -> Iterator[Point]:
    """Values of the whole run. They stand at step 0: the UI draws bars, run by run, of what has no other step."""
    if result is None:
        return
    values = {
        f"final/{result.metric}": result.final,
        f"final/best_{result.metric}": result.best,
        "final/agreement": result.agreement,
        "final/cost_seconds": result.cost.end_to_end,
        "final/cpu_seconds": result.cpu_seconds.end_to_end,
        "final/seconds": result.seconds.end_to_end,
        "final/seconds_synthesis": result.seconds.synthesis,
        "final/seconds_distillation": result.seconds.distillation,
        "final/seconds_startup": result.seconds.startup,
        "final/seconds_evaluation": result.seconds.evaluation,
        "final/images_synthesised": result.images_synthesised,
        "final/distillation_steps": result.steps,
        "final/teacher_forwards": result.teacher_forwards,
        "final/peak_memory_bytes": result.peak_memory_bytes,
        "final/energy_joules": result.energy_joules,
        "final/flops": result.flops.synthesis + result.flops.distillation if result.flops else None,
    }
    for name, value in values.items():
        if value is not None:
            yield Point(name, float(value), _milliseconds(result.finished), step=0)


def metric_of(run: RunFolder, result: Metrics | None) -> str:
    """Name of the test metric; an unfinished run takes it from its teacher."""
    if result:
        return result.metric
    cell = run.cell.name
    teacher = run.cell.results.teacher(cell.dataset, cell.pair.teacher).record
    return reading.read(teacher, TeacherRecord).metric if teacher.exists() else "top1"


def _end(manifest: Manifest, result: Metrics | None, events: list[Event]) -> int:
    """When the run ended. A killed process could not write it: its last event is the last thing known."""
    last = manifest.attempts[-1]
    if last.end or result:
        return _milliseconds(last.end or result.finished if result else last.end or last.start)
    return max(_milliseconds(last.start), *(round(event.time * 1000) for event in events[-1:]), 0)


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", (value if isinstance(value, str) else to_json(value))[:LONGEST]


def _milliseconds(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)
