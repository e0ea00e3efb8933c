"""`dkd teachers`: the public teachers that can be had by name. Imports no torch, and asks no network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.commands.output import Line, columns
from harness.store.files import there
from harness.store.layout import Results
from harness.teachers.public import TEACHERS, PublicTeacher


def table(results: Path) -> Iterator[Line]:
    """Every public teacher with what is known of it, and what to type."""
    for known in TEACHERS:
        yield known.name
        yield columns(_facts(known, Results(results)), indent=2)
    yield "dkd teachers get NAME fetches one; --file PATH takes its file from here"


def _facts(known: PublicTeacher, results: Results) -> Iterator[tuple[str, str]]:
    """A word and what it stands for."""
    folder, origin = results.teacher(known.dataset, known.teacher), known.repository
    measured = "not measured here yet" if known.measured is None else f"{known.measured:.2f} % measured"
    yield "teacher", f"{known.network} on {known.dataset}: {known.stated:.2f} % stated, {measured}"
    yield "licence", f"{origin.licence}, copyright {origin.holder}"
    yield "file", known.url
    yield "size", "unknown" if known.size is None else f"{known.size / 2**20:.1f} MiB"
    yield "checksum", str(known.checksum)
    yield "inputs", f"normalised by {known.normalisation}"
    yield "names", f"of {origin.layout}"
    if there(folder.record):
        yield "here", str(folder.path)
