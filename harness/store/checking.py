"""Whether records agree with their place and with one another: a number that was changed by hand is noticed.

`current` and `finished` look at what every reader can afford: bounds, place, the cell's copy, the last evaluation.
`evidence` reads all that a run left behind, against the sha256 that its metrics were sealed with; `whole` both.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.store import files, reading
from harness.store.checksums import sha256
from harness.store.layout import CellFolder, CellName, RunFolder, TeacherFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Event, Manifest, Metrics, Seconds, TeacherRecord
from methods.base.pair import Pair

GROWING = ("waiting", "lost")
"""Seconds that are still added to after the last evaluation."""
PIXELS = 64 * 1026**2
"""Of a sheet of samples, at most: 64 images of 1,024 pixels each way, and their borders."""
ONE_IMAGE = 100 / 10_000 + 1e-9
"""Points by which two machines may measure one network apart: an image in ten thousand, for another order of additions
turns it, our choice."""


@dataclass(frozen=True)
class Evidence:
    """What a run left behind beside its metrics, all of it as it was sealed."""

    manifest: Manifest
    events: list[Event]


def current(cell: CellFolder) -> Metrics:
    """The current result of a cell.

    Raises DamagedRecord that names what does not agree, FileNotFoundError if there is none.
    """
    data = reading.content(cell.metrics)
    copy = reading.parse(cell.metrics, data, Metrics)
    run = cell.run(copy.key)
    _check_place(cell.metrics, copy, run)
    try:
        original = reading.content(run.metrics)
    except FileNotFoundError:
        if not run.path.is_dir():
            raise DamagedRecord(cell.metrics, f"its run {run.key} is not there") from None
        # The copy stands for it, as long as all that it is sealed with is there.
        evidence(run, copy, cell.metrics, weights=False)
        return copy
    if original != data and (differing := _differing(copy, reading.parse(run.metrics, original, Metrics))):
        raise DamagedRecord(cell.metrics, f"is no copy of {run.key}'s: {differing}")
    _check_curve(run.metrics, copy, run)
    return copy


def finished(run: RunFolder) -> Metrics:
    """The result of a run, current or not. Raises DamagedRecord, and FileNotFoundError if it has none."""
    result = reading.read(run.metrics, Metrics)
    _check_place(run.metrics, result, run)
    _check_curve(run.metrics, result, run)
    return result


def whole(run: RunFolder, *, weights: bool = True) -> tuple[Metrics, Evidence]:
    """The result of a run, current or not, and all else that it left behind, checked against it.

    Raises DamagedRecord, and FileNotFoundError if it has none.
    """
    result = reading.read(run.metrics, Metrics)
    return result, evidence(run, result, weights=weights)


def current_key(cell: CellFolder) -> str | None:
    """Key of the run that the cell's result is a copy of; None if there is no result or something does not agree."""
    try:
        return current(cell).key
    except (FileNotFoundError, DamagedRecord):
        return None


def evidence(run: RunFolder, result: Metrics, source: Path | None = None, *, weights: bool = True) -> Evidence:
    """All that a run left behind, checked against its result.

    Args:
        run: whose files are read.
        result: its metrics.
        source: where these were read, if not in the run's folder.
        weights: whether the student's weights are read too; they are the largest file by far.

    Student, samples and copies of files of one's own may be missing: they are often left behind. Raises DamagedRecord.
    """
    source = source or run.metrics
    _check_place(source, result, run)
    _check_curve(source, result, run)
    _check_seal(run.manifest, result.manifest_sha256, needed=True)
    _check_seal(run.events, result.events_sha256, needed=result.events_sha256 is not None)
    _check_seal(run.samples, result.samples_sha256)
    _check_size(run.samples)
    if weights:
        _check_seal(run.student, result.student_sha256)
    manifest, events = reading.read(run.manifest, Manifest), reading.read_events(run)
    for place, digest in manifest.outside.items():
        _check_seal(run.outside(place), digest)
    for name in ("cell", "key", "plan_key", "teacher_sha256"):
        _equal(run.manifest, name, getattr(manifest, name), getattr(result, name), "the metrics say")
    if result.status == "done":
        best = max(events, key=lambda event: event.metric)
        _equal(source, "best", result.best, best.metric, f"{run.events.name} says")
        _equal(source, "best_epoch", result.best_epoch, best.epoch, f"{run.events.name} says")
    return Evidence(manifest, events)


def teacher(folder: TeacherFolder, *, weights: bool = False) -> TeacherRecord:
    """The record of a teacher; with ``weights`` these are read too, if they are there.

    Raises DamagedRecord, and FileNotFoundError if there is none.
    """
    record = reading.read(folder.record, TeacherRecord)
    if (record.dataset, record.name) != (folder.dataset, folder.name):
        raise DamagedRecord(folder.record, f"is the record of {record.name} on {record.dataset}")
    if weights:
        _check_seal(folder.weights, record.sha256)
    return record


def measured_alike(one: float, other: float) -> bool:
    """Whether two measurements of one network, in percent, are as close as those of two machines are."""
    return abs(one - other) <= ONE_IMAGE


def teacher_identity(folder: TeacherFolder) -> str | None:
    """Identity of a trained teacher; None before its training. Raises DamagedRecord."""
    try:
        return teacher(folder).identity
    except FileNotFoundError:
        return None


def _check_place(path: Path, result: Metrics, run: RunFolder) -> None:
    """Whether the record, read from ``path``, is that of the run in whose folder, or beside whose folder, it lies."""
    pair = Pair.of(result.teacher, result.student)
    claimed = CellName(result.study, result.dataset, pair, result.label, result.scale, result.seed)
    place = run.cell.place
    if str(claimed) != place or result.cell != place:
        raise DamagedRecord(path, f"is the record of {claimed if result.cell == place else result.cell}")
    _equal(path, "key", result.key, run.key, "its folder is")


def _check_curve(path: Path, result: Metrics, run: RunFolder) -> None:
    """Whether the record agrees with the last evaluation of its run."""
    last = reading.last_event(run)
    if problem := next(_against_last(result, last), None):
        # Whichever of the two is no longer what it was is to blame.
        changed = last is None or sha256(run.events) != result.events_sha256
        raise DamagedRecord(run.events if changed else path, problem)


def _against_last(result: Metrics, last: Event | None) -> Iterator[str]:
    """What the last evaluation says otherwise than the result."""
    done = result.status == "done"
    if last is None:
        yield from ["holds no evaluation, though the run is done"] if done else []
        return
    values = {"final": last.metric, "agreement": last.agreement, "steps": last.step} if done else {}
    for name, value in values.items():
        if getattr(result, name) != value:
            yield f"{name} is {getattr(result, name)}, the last evaluation says {value}"
    for kind, mine, then in (
        ("seconds", result.seconds, last.seconds),
        ("cpu_seconds", result.cpu_seconds, last.cpu_seconds),
    ):
        yield from _against_seconds(kind, mine, then, done)


def _against_seconds(kind: str, mine: Seconds, last: Seconds, done: bool) -> Iterator[str]:
    for name in Seconds.model_fields:
        value, then = getattr(mine, name), getattr(last, name)
        if value < then or (done and name not in GROWING and value != then):
            yield f"{kind}.{name} is {value}, the last evaluation says {then}"


def _differing(copy: Metrics, original: Metrics) -> str:
    """The first value in which two records differ; empty if they are equal."""
    mine, theirs = copy.model_dump(), original.model_dump()
    return next((f"{name} is {mine[name]}, there {theirs[name]}" for name in mine if mine[name] != theirs[name]), "")


def _equal(path: Path, name: str, found: object, expected: object, who: str) -> None:
    if found != expected:
        raise DamagedRecord(path, f"{name} is {found}, {who} {expected}")


def _check_seal(path: Path, expected: str | None, needed: bool = False) -> None:
    """Compare a file with its sha256, if it has one; one that is missing, where it may be, is no other one."""
    try:
        found = sha256(path)
    except FileNotFoundError:
        if needed:
            raise DamagedRecord(path, f"{path.name} is missing") from None
        return
    except OSError as error:
        raise DamagedRecord(path, f"cannot be read: {error.strerror or error}") from None
    if expected and found != expected:
        raise DamagedRecord(path, f"was changed after it was written: sha256 is {found}, was {expected}")


def _check_size(picture: Path) -> None:
    """Refuse a picture that would take all memory to open: its size stands in the first bytes of a png."""
    if not files.there(picture):
        return
    with files.opened(picture) as file:
        head = file.read(24)
    width, height = struct.unpack(">II", head[16:]) if len(head) == 24 else (0, 0)
    if width * height > PIXELS:
        raise DamagedRecord(picture, f"has {width} × {height} pixels")
