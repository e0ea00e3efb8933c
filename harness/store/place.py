"""Whether a folder is there, and what is said if it is not: the same by every command, and in a notebook."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError, nearest
from harness.store.layout import Results, near

MADE_BY = "`dkd train-teacher`, `snakemake` and `dkd import` make one"


def path(text: str | Path) -> Path:
    """A path as given: ~ is the home, also after a =, where no shell replaces it. Raises UserError if there is none."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UserError(f"{text}: no home is known for ~; write the path in full") from None


def existing(path: Path) -> Results:
    """The results folder at ``path``. Raises UserError if it is not there, or is no folder."""
    if not is_there(path):
        raise UserError(
            f"{path.absolute()}: no such results folder{nearest(path.name, _beside(path))}\n"
            f"  name one that is there (--results DIR); {MADE_BY}"
        )
    return Results(path)


def is_there(path: Path) -> bool:
    """Whether there is a folder at ``path``.

    Raises UserError if something else is, there or on the way to it, or if it cannot be looked at.
    """
    try:
        nearest_there = next(part for part in (path.absolute(), *path.absolute().parents) if part.exists())
        is_folder = nearest_there.is_dir()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    if not is_folder:
        raise UserError(f"{nearest_there}: a folder is wanted, and this is none")
    return nearest_there == path.absolute()


def elsewhere(path: Path) -> str:
    """Text that names the results folder whose cells lie in ``path``, below it or above; empty if none is near."""
    try:
        found = near(path)
    except OSError:
        return ""
    return f"; the results folder is {found}" if found else ""


def _beside(path: Path) -> list[str]:
    """Names of the folders that stand where it was looked for."""
    try:
        return sorted(other.name for other in path.absolute().parent.iterdir() if other.is_dir())
    except OSError:
        return []
