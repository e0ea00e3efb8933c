"""How records are read back, and what is said of those that cannot be understood."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from harness.errors import UserError
from harness.store import files
from harness.store.layout import RunFolder, remedy
from harness.store.records import SCHEMA, Event, RecordT

LINE = 2**16
"""Bytes within which the last event is found: a line has a tenth of them at most."""


class DamagedRecord(UserError):
    """A record that cannot be read, or that does not agree with others: cut, edited by hand, of another version."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: damaged record: {reason}\n  {remedy(path)}")
        self.path, self.reason = path, reason


def read(path: Path, kind: type[RecordT]) -> RecordT:
    """The record in ``path``. Raises DamagedRecord if it cannot be understood, FileNotFoundError if it is not there."""
    return parse(path, content(path), kind)


def content(path: Path, last: int | None = None) -> bytes:
    """A record as it stands on disk, or so many bytes at its end.

    Raises DamagedRecord if it cannot be read, FileNotFoundError if it is not there.
    """
    try:
        return files.content(path, last=last)
    except FileNotFoundError:
        raise
    except OSError as error:  # a folder or a pipe in its place, links in a circle, no permission
        raise DamagedRecord(path, f"cannot be read: {error.strerror or error}") from None


def parse(path: Path, data: bytes, kind: type[RecordT], where: str = "") -> RecordT:
    """The record that ``data``, read from ``path``, is; ``where`` it stands there begins the reason, if it is given.

    Raises DamagedRecord if it cannot be understood.
    """
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        raise DamagedRecord(path, f"{where}{_first_problem(error)}") from None


def read_intact(path: Path, kind: type[RecordT]) -> RecordT | None:
    """The record in ``path``; None if it is not there or cannot be understood."""
    try:
        return read(path, kind)
    except (FileNotFoundError, DamagedRecord):
        return None


def read_events(run: RunFolder) -> list[Event]:
    """All events of a run, in order; a torn last line is left out. Raises DamagedRecord on any other damage."""
    return [_event(run.events, number, line) for number, line in enumerate(intact_lines(run.events))]


def read_lines(path: Path, kind: type[RecordT]) -> list[RecordT]:
    """Records written one to a line. Raises DamagedRecord that names the line."""
    return [parse(path, line, kind, f"line {number}: ") for number, line in enumerate(content(path).splitlines(), 1)]


def last_event(run: RunFolder) -> Event | None:
    """The last of a run's events, without reading the others; None if there is none. Raises DamagedRecord."""
    lines = intact_lines(run.events, last=LINE)
    return parse(run.events, lines[-1], Event) if lines else None


def intact_lines(path: Path, last: int | None = None) -> list[bytes]:
    """The lines of a file that were written to their end; with ``last`` only those in so many bytes at its end.

    Raises DamagedRecord if it cannot be read.
    """
    try:
        return [line for line in content(path, last).splitlines(keepends=True) if line.endswith(b"\n")]
    except FileNotFoundError:
        return []


def _event(path: Path, number: int, line: bytes) -> Event:
    event = parse(path, line, Event, f"line {number + 1}: ")
    if event.n != number:
        raise DamagedRecord(path, f"line {number + 1} carries number {event.n}, expected {number}")
    return event


def _first_problem(error: ValidationError) -> str:
    problems = error.errors()
    first = next((problem for problem in problems if problem["loc"] == ("schema_version",)), problems[0])
    if first["loc"] == ("schema_version",):
        return (
            f"written by another version of the bench: schema_version {first['input']!r:.20}, this one reads {SCHEMA}"
            + (" (before 2, records were not sealed against changes)" if first["input"] == 1 else "")
        )
    field = ".".join(str(part) for part in first["loc"])[:100]
    problem = first["msg"].removeprefix("Value error, ")
    return f"{field}: {problem}" if field else problem
