"""A teacher on the shelf: all that its record says. Never imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.commands.output import Line, columns
from harness.commands.show import words
from harness.store import checking
from harness.store.layout import Results
from harness.teachers.public import TEACHERS, PublicTeacher


def describe(name: str, results: Path) -> Iterator[Line]:
    """All about the teacher ``dataset/name``, or a public one of this name. Raises DamagedRecord."""
    if public := next((one for one in TEACHERS if one.name == name), None):
        yield f"public teacher {name}"
        yield columns(_public(public), indent=2)
        return
    dataset, _, own = name.partition("/")
    folder = Results(results).teacher(dataset, own)
    record = checking.teacher(folder)
    yield f"teacher {name}"
    facts = [(key.replace("_", " "), words.value(value)) for key, value in record.model_dump(exclude_none=True).items()]
    yield columns([("folder", str(folder.path)), *facts], indent=2)


def _public(teacher: PublicTeacher) -> Iterator[tuple[str, str]]:
    yield "what", f"{teacher.network} for {teacher.dataset}, of {teacher.repository.place}"
    yield "stated", f"{teacher.stated:.2f} %"
    yield "measured", "not yet by this bench" if teacher.measured is None else f"{teacher.measured:.2f} % by this bench"
    yield "licence", f"{teacher.repository.licence}, {teacher.repository.holder}"
    yield "normalisation", teacher.normalisation
    yield "file", teacher.url
    yield "becomes", f"{teacher.dataset}/{teacher.teacher}, by dkd teachers get {teacher.name}"
