"""How the MLflow store is, for `dkd doctor`: looked at as a sync would use it, without changing it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from harness.errors import UserError
from harness.tracking import sqlite
from harness.tracking.address import address, is_ours, is_server, public, sqlite_file
from harness.tracking.store import client, knock, set_environment, told
from harness.wording import count

ANEW = "repair it, delete it (dkd sync makes it anew from the records), or set MLFLOW_TRACKING_URI"
"""What to do about the results folder's own store. Of others nothing is known that would allow to delete them."""


@dataclass(frozen=True)
class Health:
    """What was found."""

    ok: bool
    found: str
    fix: str = ""


def examine(results: Path) -> Health:
    """The state of the store, and what to do about it."""
    try:
        uri = address(results)
    except UserError as error:
        problem, _, remedy = str(error).partition("\n")
        return Health(False, problem, " ".join(remedy.split()))
    ours, shown = is_ours(uri, results), public(uri)
    set_environment()
    try:
        with told(uri):
            if (file := sqlite_file(uri)) and file.exists() and sqlite.half_made(file):
                begin = "dkd sync makes it anew" if ours else "remove it, then dkd sync"
                return Health(False, f"{shown}: {sqlite.HALF_MADE}", begin)
            return Health(True, f"{shown}: {_of_file(file) if file else _of_server(uri)}")
    except (UserError, ImportError) as error:
        problem, _, remedy = str(error).partition("\n")
        return Health(False, problem, ANEW if ours else " ".join(remedy.split()) or "pip install mlflow")


def _of_file(file: Path) -> str:
    if not file.exists():
        return "not there yet; dkd sync makes it"
    with sqlite.connect(file) as connection:
        (runs,) = connection.execute("SELECT count(*) FROM runs WHERE lifecycle_stage = 'active'").fetchone()
    return count(runs, "run")


def _of_server(uri: str) -> str:
    """Asks with MLflow's own credentials, or through the database's driver."""
    if is_server(uri):
        client(uri).search_experiments(max_results=1)
        return "a server that lets us in"
    knock(uri)
    from sqlalchemy import create_engine

    create_engine(uri).connect().close()
    return "a database that lets us in"
