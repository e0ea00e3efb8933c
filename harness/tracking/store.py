"""The MLflow store: who may write, and what goes wrong with it.

mlflow is imported where it is used, after the environment says how long it may try.
"""

from __future__ import annotations

import errno
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from filelock import Timeout

from harness.errors import UserError
from harness.store import occupancy
from harness.store.layout import Results
from harness.tracking import sqlite
from harness.tracking.address import address, is_server, public, sqlite_file, without_secrets

if TYPE_CHECKING:
    from mlflow import MlflowClient

LOCK_SECONDS = 600.0
"""How long one process waits for another that writes."""
ANSWER_SECONDS = 5.0
"""How long a server may take to answer at all."""

_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # by default a client waits two minutes for a server that is down
    "MLFLOW_HTTP_REQUEST_TIMEOUT": f"{ANSWER_SECONDS:.0f}",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # a line a run, with the password of the address
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # evaluates language models; takes 230 MB
}
_PORTS = {"postgresql": 5432, "postgres": 5432, "mysql": 3306, "mssql": 1433}
"""Where databases listen unless the address says otherwise."""
_DRIVERS = {"psycopg2": "psycopg2-binary", "psycopg": "psycopg[binary]", "MySQLdb": "mysqlclient"}
"""Modules that are installed under another name."""
_REFUSED = ("error code 401", "error code 403")


def set_environment() -> None:
    """Short waits, no telemetry, no chatter, here and in the server that is started. What the user has set stays."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if os.path.expanduser("~") == "~":  # MLflow cannot be imported without a home; in this one nothing can be made
        os.environ["HOME"] = os.devnull


@contextmanager
def open_store(results: Path) -> Iterator[MlflowClient]:
    """A client of the initialised store, for one process at a time. Turns the store's errors into UserError."""
    set_environment()
    uri = address(results)
    try:
        results.mkdir(parents=True, exist_ok=True)
        with occupancy.hold(Results(results).sync_lock, "MLflow's store", timeout=LOCK_SECONDS), told(uri):
            if uri.startswith("sqlite:"):
                sqlite.prepare(uri, results)
            yield client(uri)
    except Timeout:
        held = f"{Results(results).sync_lock}: another sync has held it for {LOCK_SECONDS:.0f} s"
        raise UserError(f"{held}: wait for its end, then `dkd sync`") from None
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise _unusable(uri, error) from error


def client(uri: str) -> MlflowClient:
    """A client of the store of this address."""
    knock(uri)
    from mlflow import MlflowClient

    opened = _without_password(uri) if is_server(uri) else uri
    return MlflowClient(opened, registry_uri=opened)


def _without_password(server: str) -> str:
    """The address for MLflow, which prints it; user and password go where MLflow keeps them to itself."""
    user, password = map(unquote, (urlsplit(server).username or "", urlsplit(server).password or ""))
    if not (user and password):
        return server
    os.environ["MLFLOW_TRACKING_USERNAME"], os.environ["MLFLOW_TRACKING_PASSWORD"] = user, password
    return public(server)


@contextmanager
def told(uri: str) -> Iterator[None]:
    """Turn what libraries raise about a store into UserError: without passwords, and with what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _unusable(uri, error) from error
    except ImportError as error:
        if error.name is None or error.name.partition(".")[0] == "mlflow":
            raise
        raise UserError(
            f"MLflow store {public(uri)} needs the package {error.name}\n"
            f"  type: pip install {_DRIVERS.get(error.name, error.name)}"
        ) from error
    except Exception as error:
        if type(error).__module__.partition(".")[0] not in ("mlflow", "sqlalchemy"):
            raise
        raise _unusable(uri, error) from error


def knock(uri: str) -> None:
    """Raise UserError at once where a database's server does not listen: MLflow would try for minutes."""
    parts = urlsplit(uri) if sqlite_file(uri) is None else None
    if parts and parts.hostname and (port := parts.port or _PORTS.get(parts.scheme.partition("+")[0])):
        try:
            socket.create_connection((parts.hostname, port), ANSWER_SECONDS).close()
        except OSError as error:
            raise _unusable(uri, error) from error


def _unusable(uri: str, error: Exception) -> UserError:
    reason = without_secrets(str(error).splitlines()[0], uri)[:300]
    remedy = "repair the store or set MLFLOW_TRACKING_URI"
    if any(refused in reason for refused in _REFUSED):
        remedy = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
    return UserError(
        f"MLflow store {public(uri)} cannot be used: {reason}\n  the records are untouched; {remedy}, then `dkd sync`"
    )
