"""What one run looks like in MLflow: a pure function of its records. Does not import mlflow."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.store import checking, reading
from harness.store.files import there
from harness.store.layout import CellName, RunFolder, scale_text
from harness.store.records import Event, Manifest, Metrics, TeacherRecord, to_json
from harness.tracking import notes, points
from harness.tracking.points import Point, milliseconds

LONGEST = 6000
"""Letters of an option that MLflow keeps."""
STATUS = {"done": "FINISHED", "failed": "FAILED", "diverged": "FAILED"}
NOTE = "mlflow.note.content"
"""The tag that MLflow shows as a description, in Markdown."""
KIND = "kind"
"""The tag that tells runs from rows."""
SEED = "seed"
FINISHED = "finished"
"""The tag that says which lives of runs the numbers are of: where it only grows, so do the numbers."""
VERSION = "2"
"""Another one when the same records are to look otherwise: all runs are then written anew."""
CODE_OF_DATA = "harness/data/"
"""Begins the names of the sources that read a dataset."""


@dataclass(frozen=True)
class DatasetView:
    """What a student was tested on."""

    name: str
    digest: str
    """Changes with the dataset's code and files."""


@dataclass(frozen=True)
class RunView:
    """A run, or a row of runs, as it should stand in MLflow."""

    study: str
    name: str
    """What tells runs of a study apart comes first: the pages cut long names. The cell's name is the tag ``cell``."""
    identity: tuple[str, str]
    """Tag and value by which MLflow's run is found again."""
    status: str
    start: int
    """Milliseconds since 1970."""
    end: int | None
    """``start`` and the seconds end to end; None while it runs."""
    params: dict[str, str]
    tags: dict[str, str]
    points: list[Point]
    dataset: DatasetView
    files: dict[str, Path] = field(default_factory=dict)
    """Copies of records and pictures, by their places among the artifacts."""
    config: dict[str, Any] | None = None
    """Every value that the method ran with."""
    result: Metrics | None = None


def of_run(run: RunFolder, superseded: bool, working: bool, asked: bool = False) -> RunView:
    """The view of a run.

    Args:
        run: whose records are shown.
        superseded: whether another run is its cell's result.
        working: whether a process works on it.
        asked: whether system metrics are asked for.

    Raises DamagedRecord for a record that cannot be read, FileNotFoundError without a manifest.
    """
    result, manifest, events = _records(run)
    identity = _identity(run.cell.name, result)
    status = STATUS[result.status] if result else "RUNNING" if working else "KILLED"
    start = milliseconds(manifest.attempts[0].start)
    tags = {**_tags(run, manifest, result), **identity, "superseded": "yes" if superseded else "no"}
    metric = metric_of(run, result)
    return RunView(
        study=identity["study"],
        name=notes.title(run.cell.name, result.method if result else None, run.cell.name.seed),
        identity=("cell_key", manifest.key),
        status=status,
        start=start,
        end=None if status == "RUNNING" else start + _duration(result, events),
        params={**dict(_flat(manifest.config)), **identity},
        tags={**tags, **version(), KIND: "run", NOTE: notes.of_run(run.cell.name, result, status)},
        points=[
            *points.curves(events, metric),
            *(points.final(result) if result else ()),
            *(points.system(events, result) if asked else ()),
        ],
        dataset=_dataset(identity["dataset"], manifest),
        files=dict(_files(run, manifest, result)),
        config=manifest.config,
        result=result,
    )


def _records(run: RunFolder) -> tuple[Metrics | None, Manifest, list[Event]]:
    if there(run.metrics):
        result, evidence = checking.whole(run, weights=False)
        return result, evidence.manifest, evidence.events
    return None, reading.read(run.manifest, Manifest), reading.read_events(run)


def _identity(cell: CellName, result: Metrics | None) -> dict[str, str]:
    """The coordinates of the cell. Params as well as tags: the pages plot and group by params, and filter by tags."""
    method = {"method": result.method} if result else {}
    return {
        "study": cell.study,
        "dataset": cell.dataset,
        "pair": cell.pair.folder,
        "label": cell.label,
        "scale": scale_text(cell.scale),
        SEED: str(cell.seed),
        **method,
    }


def version() -> dict[str, str]:
    """The tag that says how records are shown."""
    return {"dkd.view": VERSION}


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
        tags |= {FINISHED: result.finished, "status": result.status, "reason": result.reason}
        tags |= {"student_sha256": result.student_sha256, "overloaded": "yes" if result.overloaded else "no"}
    if result and result.student_sha256:
        tags["student_path"] = run.student.relative_to(run.cell.results.path).as_posix()
    return {name: str(value) for name, value in tags.items() if value is not None}


def metric_of(run: RunFolder, result: Metrics | None) -> str:
    """Name of the test metric; an unfinished run takes it from its teacher."""
    if result:
        return result.metric
    cell = run.cell.name
    teacher = run.cell.results.teacher(cell.dataset, cell.pair.teacher).record
    return reading.read(teacher, TeacherRecord).metric if teacher.exists() else "top1"


def _duration(result: Metrics | None, events: list[Event]) -> int:
    """Milliseconds end to end on the wall: start-up, synthesis and distillation, without evaluation and waiting.

    A killed process could not write them: those of its last event are the last thing known.
    """
    seconds = result.seconds if result else events[-1].seconds if events else None
    return round(1000 * seconds.end_to_end) if seconds else 0


def _dataset(name: str, manifest: Manifest) -> DatasetView:
    """The digest stands for the code that reads the dataset, and for its files where that does not check them."""
    code = {file: value for file, value in manifest.sources.items() if file.startswith(CODE_OF_DATA)}
    return DatasetView(name, hashlib.sha256(to_json([code, manifest.data]).encode()).hexdigest()[:12])


def _files(run: RunFolder, manifest: Manifest, result: Metrics | None) -> Iterator[tuple[str, Path]]:
    yield run.manifest.name, run.manifest
    if result and run.samples.exists():
        yield run.samples.name, run.samples
    for place in manifest.outside:
        if there(file := run.outside(place)):
            yield f"outside/{place}", file


def _flat(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in config.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", (value if isinstance(value, str) else to_json(value))[:LONGEST]
