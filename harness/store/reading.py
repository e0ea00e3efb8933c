"""How records are read back, and what is said of those that cannot be understood."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from harness.errors import UserError
from harness.store.layout import CellFolder, RunFolder, TeacherFolder, remedy
from harness.store.records import SCHEMA, Event, Metrics, RecordT, TeacherRecord


class DamagedRecord(UserError):
    """A record that cannot be read: cut in the middle, edited by hand, or of another version."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: damaged record: {reason}\n  {remedy(path)}")
        self.path, self.reason = path, reason


def read(path: Path, kind: type[RecordT]) -> RecordT:
    """The record in ``path``. Raises DamagedRecord if it cannot be understood, FileNotFoundError if it is not there."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DamagedRecord(path, _first_problem(error)) from None


def read_intact(path: Path, kind: type[RecordT]) -> RecordT | None:
    """The record in ``path``; None if it is not there or cannot be understood."""
    try:
        return read(path, kind)
    except (FileNotFoundError, DamagedRecord):
        return None


def read_events(run: RunFolder) -> list[Event]:
    """All events of a run, in order; while it is unfinished, a torn last line is left out.

    Raises DamagedRecord on any other damage, also when the events of a finished run end before its last step.
    """
    events = [_event(run.events, number, line) for number, line in enumerate(intact_lines(run.events))]
    result, last = read_intact(run.metrics, Metrics), events[-1].step if events else 0
    if result and result.status == "done" and result.steps not in (None, last):
        raise DamagedRecord(run.events, f"ends at step {last}, the run at step {result.steps}")
    return events


def read_lines(path: Path, kind: type[RecordT]) -> list[RecordT]:
    """Records written one to a line. Raises DamagedRecord that names the line."""
    found = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            found.append(kind.model_validate_json(line))
        except ValidationError as error:
            raise DamagedRecord(path, f"line {number}: {_first_problem(error)}") from None
    return found


def current_key(cell: CellFolder) -> str | None:
    """Key of the run that the cell's result is a copy of; None if there is no result or it is damaged."""
    result = read_intact(cell.metrics, Metrics)
    return result.key if result else None


def teacher_sha256(folder: TeacherFolder) -> str | None:
    """Identity of a trained teacher; None before its training. Raises DamagedRecord."""
    try:
        return read(folder.record, TeacherRecord).sha256
    except FileNotFoundError:
        return None


def intact_lines(path: Path) -> list[bytes]:
    """The lines of a file that were written to their end."""
    if not path.exists():
        return []
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def _event(path: Path, number: int, line: bytes) -> Event:
    try:
        event = Event.model_validate_json(line)
    except ValidationError as error:
        raise DamagedRecord(path, f"line {number + 1}: {_first_problem(error)}") from None
    if event.n != number:
        raise DamagedRecord(path, f"line {number + 1} carries number {event.n}, expected {number}")
    return event


def _first_problem(error: ValidationError) -> str:
    problems = error.errors()
    first = next((problem for problem in problems if problem["loc"] == ("schema_version",)), problems[0])
    if first["loc"] == ("schema_version",):
        return f"written by another version of the bench: schema_version {first['input']}, this one reads {SCHEMA}"
    field = ".".join(str(part) for part in first["loc"])
    return f"{field}: {first['msg']}" if field else str(first["msg"])
