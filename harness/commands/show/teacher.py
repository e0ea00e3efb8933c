"""A teacher on the shelf: all that its record says. Never imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.commands.output import Line, columns
from harness.commands.show import words
from harness.commands.teachers import facts
from harness.store import checking
from harness.store.layout import Results
from harness.teachers.public import TEACHERS


def describe(name: str, results: Path) -> Iterator[Line]:
    """All about the teacher ``dataset/name``, or a public one of this name. Raises DamagedRecord."""
    if known := next((one for one in TEACHERS if one.name == name), None):
        yield f"public teacher {name}"
        becomes = f"{known.dataset}/{known.teacher}, by dkd teachers get {known.name}"
        yield columns([*facts(known), ("becomes", becomes)], indent=2)
        return
    dataset, _, own = name.partition("/")
    folder = Results(results).teacher(dataset, own)
    record = checking.teacher(folder)
    yield f"teacher {name}"
    said = [(key.replace("_", " "), words.value(value)) for key, value in record.model_dump(exclude_none=True).items()]
    yield columns([("folder", str(folder.path)), *said], indent=2)
