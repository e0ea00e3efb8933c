"""A store that is a SQLite file: made whole or not at all, for whom umask and group allow, moved with its folder.

What stands in the results folder's own file are copies of the records, so that nothing is lost with it.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from harness.errors import UserError
from harness.machine.users import READABLE
from harness.store import atomic
from harness.store.layout import Results
from harness.tracking.address import SQLITE, is_ours, sqlite_file

HALF_MADE = "half made: the sync that began it was killed, or the disk was full"


def prepare(uri: str, results: Path) -> None:
    """Bring a store into a state that MLflow can open: make it, mend it, and let its artifacts be where they are.

    Raises sqlite3.Error where MLflow would try for minutes: no permission, no space, no folder, not a database.
    """
    file, ours = sqlite_file(uri), is_ours(uri, results)
    if file and ((file.parent.is_dir() and not file.exists()) or (ours and half_made(file))):
        _make(file, results)
    if file and file.exists():
        _share(file)
    _try_to_write(uri.removeprefix(SQLITE))
    if file and ours:
        _follow(file, Results(results).artifacts.resolve())


def half_made(file: Path) -> bool:
    """Whether MLflow never came to the end of making this store: then not even its default experiment is there."""
    with connect(file) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return "experiments" not in tables or not connection.execute("SELECT 1 FROM experiments").fetchone()


def connect(file: Path) -> closing[sqlite3.Connection]:
    """An open database that is there; what a killed process left in its journal is rolled back, as by any reader."""
    return closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True))


def _make(file: Path, results: Path) -> None:
    """A new store, made aside: a kill or a full disk in between leaves none, and the next sync begins again."""
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    def build(temporary: Path) -> None:
        SqlAlchemyStore(f"sqlite:///{temporary}", Results(results).artifacts.resolve().as_uri()).engine.dispose()

    for left in _beside(file):
        left.unlink()
    atomic.write_with(file, build)


def _beside(file: Path) -> Iterator[Path]:
    """What killed processes left: stores half made, and journals, which SQLite would apply to the new store."""
    yield from file.parent.glob(f".{file.name}.*.tmp*")
    yield from (path for end in ("-journal", "-wal", "-shm") if (path := file.with_name(file.name + end)).exists())


def _share(file: Path) -> None:
    """Let umask and group decide who may write: SQLite itself gives nobody else more than reading."""
    with suppress(OSError):  # a colleague's, or on a disk that is read-only: said below
        file.chmod(file.stat().st_mode | READABLE)
    if file.stat().st_uid != os.geteuid() and not os.access(file, os.W_OK, effective_ids=True):
        raise UserError(
            f"{file}: no permission to write\n  its owner types: chmod -R g+w {file.parent}\n"
            "  a folder that several write to: one group, umask 002, and chmod g+s on it"
        )


def _try_to_write(name: str) -> None:
    with closing(sqlite3.connect(name, uri=name.startswith("file:"), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE dkd_probe (x)")  # a read-only database lets a transaction begin
        connection.execute("ROLLBACK")


def _follow(file: Path, artifacts: Path) -> None:
    """Let the addresses of artifacts, which MLflow keeps whole, name the place where the results folder is now."""
    for table, column in (("experiments", "artifact_location"), ("runs", "artifact_uri")):
        with connect(file) as connection, connection:
            stored = connection.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()  # noqa: S608 - names of ours
            moved = [(_moved(old, artifacts), old) for (old,) in stored if _moved(old, artifacts) != old]
            connection.executemany(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", moved)  # noqa: S608 - ours


def _moved(uri: str | None, artifacts: Path) -> str | None:
    _, ours, within = (uri or "").rpartition(f"/{artifacts.name}/")
    return f"{artifacts.as_uri()}/{within}" if ours else uri
