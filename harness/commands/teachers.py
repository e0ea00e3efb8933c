"""`dkd teachers` and `dkd train-teacher`: what can be had by name, and which options go together. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.commands.output import Line, columns
from harness.errors import UserError
from harness.grid.pairs import own_name
from harness.store.files import there
from harness.store.layout import Results
from harness.teachers.public import TEACHERS, PublicTeacher


def table(results: Path) -> Iterator[Line]:
    """Every public teacher with what is known of it, and what to type."""
    for known in TEACHERS:
        yield known.name
        folder = Results(results).teacher(known.dataset, known.teacher)
        yield columns([*facts(known), *([("here", str(folder.path))] if there(folder.record) else [])], indent=2)
    yield "dkd teachers get NAME fetches one; --file PATH takes its file from here"


def facts(known: PublicTeacher) -> Iterator[tuple[str, str]]:
    """What is known of a public teacher: a word and what it stands for."""
    origin = known.repository
    measured = "not measured here yet" if known.measured is None else f"{known.measured:.2f} % measured"
    yield "teacher", f"{known.network} on {known.dataset}: {known.stated:.2f} % stated, {measured}"
    yield "licence", f"{origin.licence}, copyright {origin.holder}"
    yield "file", known.url
    yield "size", "unknown" if known.size is None else f"{known.size / 2**20:.1f} MiB"
    yield "checksum", str(known.checksum)
    yield "inputs", f"normalised by {known.normalisation}"
    yield "names", f"of {origin.layout}"


def check_options(
    name: str | None, *, file: Path | None, backbone: Path | None, of_keys: object, of_inputs: object
) -> None:
    """Raise UserError if options of `dkd train-teacher` do not go together.

    Args:
        name: of the teacher.
        file: of a whole teacher, with ``--import``.
        backbone: file of weights to start from.
        of_keys: options for the keys of the file; empty where there is none.
        of_inputs: options for what its inputs were normalised by; empty where there is none.
    """
    try:
        own_name(name or "unnamed")
    except ValueError as error:
        raise UserError(f"--name {name!r:.100}: {error}") from None
    if file and backbone:
        raise UserError("--import takes a whole teacher, --backbone starts the training of one: give one of them")
    if of_keys and not file:
        raise UserError("--key, --rename, --drop and --in-order are for the keys of a file that --import names")
    if of_inputs and not file:
        raise UserError("--normalisation, --mean and --std are for a file that --import names: here all learn alike")
