"""Whether a results folder is there, and what is said if it is not: the same by every command, and in a notebook."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError, nearest
from harness.store.layout import Results

MADE_BY = "`dkd train-teacher`, `snakemake` and `dkd import` make one"


def existing(path: Path) -> Results:
    """The results folder at ``path``. Raises UserError if it is not there, or is no folder."""
    if not is_there(path):
        raise UserError(
            f"{path.absolute()}: no such results folder{nearest(path.name, _beside(path))}\n"
            f"  name one that is there (--results DIR); {MADE_BY}"
        )
    return Results(path)


def is_there(path: Path) -> bool:
    """Whether there is a folder at ``path``. Raises UserError if something else is, or if it cannot be looked at."""
    try:
        is_folder, there = path.is_dir(), path.exists()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    if there and not is_folder:
        raise UserError(f"{path.absolute()}: a results folder is wanted, and this is none")
    return there


def _beside(path: Path) -> list[str]:
    """Names of the folders that stand where it was looked for."""
    try:
        return sorted(other.name for other in path.absolute().parent.iterdir() if other.is_dir())
    except OSError:
        return []
