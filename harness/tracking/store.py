"""The MLflow store: where it is, who may write, what goes wrong with it, and how one run is written into it.

mlflow is imported where it is used, after the environment says how long it may try.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from harness.errors import UserError
from harness.store.layout import Results
from harness.tracking import pages
from harness.tracking.view import RunView

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

LOCK_SECONDS = 600.0
"""How long one process waits for another that writes."""

BATCH = 1000
"""Metrics that MLflow takes in one call."""

_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",  # by default a client waits two minutes for a server that is down
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # evaluates language models; takes 230 MB
}


def uri(results: Path) -> str:
    """Where MLflow stores: ``MLFLOW_TRACKING_URI``, or a SQLite file in the results folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{Results(results).database.resolve()}"


def server_command(results: Path, port: int) -> list[str]:
    """The command that serves the store's pages on this machine only. Initialises the store.

    Raises UserError when MLFLOW_TRACKING_URI names a server: that one has pages of its own.
    """
    if uri(results).startswith("http"):
        raise UserError(f"MLFLOW_TRACKING_URI is a server: open {uri(results)}")
    with open_store(results):
        pass
    store = ["--backend-store-uri", uri(results), "--artifacts-destination", str(_artifacts(results))]
    return [
        sys.executable,
        "-m",
        "mlflow",
        "server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--workers",
        "1",
        *store,
    ]


def links(results: Path, port: int) -> list[str]:
    """For every study, the addresses where its runs can be compared once the server has started."""
    with open_store(results) as client:
        studies = [found for found in client.search_experiments() if found.experiment_id != "0"]
    server = f"http://127.0.0.1:{port}"
    return [
        f"{study.name}: {what}\n  {pages.link(server, study.experiment_id, view)}"
        for study in studies
        for view, what in pages.VIEWS.items()
    ]


def set_environment() -> None:
    """Short waits and no telemetry, for this process and the servers it starts. What the user has set stays."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)


@dataclass(frozen=True)
class Experiment:
    """A study's experiment in the store."""

    client: MlflowClient
    id: str
    uri: str
    created: int | None
    """Milliseconds since 1970."""

    @property
    def store(self) -> str:
        """Identity of the store: another address, or a database made anew, is another store."""
        return f"{self.uri}#{self.id}@{self.created}"

    @classmethod
    def open(cls, client: MlflowClient, study: str, results: Path) -> Experiment:
        """The experiment of a study, made if it is not there."""
        found = client.get_experiment_by_name(study)
        if found is None:
            local = None if uri(results).startswith("http") else (_artifacts(results) / study).as_uri()
            found = client.get_experiment(client.create_experiment(study, artifact_location=local))
        elif found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        for name, value in pages.experiment_tags().items():
            if name not in found.tags:
                client.set_experiment_tag(found.experiment_id, name, value)
        return cls(client, found.experiment_id, uri(results), found.creation_time)

    def find(self, key: str) -> Run | None:
        """The run of a cell key."""
        found = self.client.search_runs([self.id], f"tags.cell_key = '{key}'", max_results=1)
        return found[0] if found else None

    def push(self, view: RunView) -> tuple[str, bool]:
        """Make the run equal to its view. Returns its id and whether it was created."""
        stored = self.find(view.key)
        if stored and _contradicts(stored, view):
            self.client.delete_run(stored.info.run_id)
            stored = None
        run_id = stored.info.run_id if stored else self._create(view)
        self._write(run_id, view)
        return run_id, stored is None

    def _create(self, view: RunView) -> str:
        run = self.client.create_run(self.id, view.start, {"cell_key": view.key}, run_name=view.name)
        return str(run.info.run_id)

    def _write(self, run_id: str, view: RunView) -> None:
        from mlflow.entities import Metric, Param, RunTag

        params = [Param(name, value) for name, value in view.params.items()]
        tags = [RunTag(name, value) for name, value in view.tags.items()]
        self.client.log_batch(run_id, params=params, tags=tags)
        for start in range(0, len(view.points), BATCH):
            batch = view.points[start : start + BATCH]
            self.client.log_batch(run_id, metrics=[Metric(p.name, p.value, p.time, p.step) for p in batch])
        if view.samples:
            self.client.log_artifact(run_id, str(view.samples))
        if view.end is None:
            self.client.update_run(run_id, view.status)
        else:
            self.client.set_terminated(run_id, view.status, view.end)


def _contradicts(stored: Run, view: RunView) -> bool:
    """Whether the stored run is of an earlier life of this key: values that MLflow can only add to differ."""
    finished = stored.data.tags.get("finished")
    return (
        stored.info.start_time != view.start
        or finished not in (None, view.tags.get("finished"))
        or any(view.params.get(name) != value for name, value in stored.data.params.items())
    )


@contextmanager
def open_store(results: Path) -> Iterator[MlflowClient]:
    """A client of the initialised store, for one process at a time. Turns the store's errors into UserError."""
    set_environment()
    address = uri(results)
    try:
        results.mkdir(parents=True, exist_ok=True)
        with FileLock(Results(results).sync_lock, timeout=LOCK_SECONDS):
            _try_sqlite(address)
            from mlflow import MlflowClient
            from mlflow.exceptions import MlflowException
            from sqlalchemy.exc import SQLAlchemyError

            for noisy in ("mlflow", "alembic"):
                logging.getLogger(noisy).setLevel(logging.WARNING)
            try:
                yield MlflowClient(address, registry_uri=address)
            except (MlflowException, SQLAlchemyError) as error:
                raise _unusable(address, error) from error
    except Timeout:
        raise UserError(f"{Results(results).sync_lock}: another sync has held it for {LOCK_SECONDS:.0f} s") from None
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise _unusable(address, error) from error


def _try_sqlite(address: str) -> None:
    """Fail at once where MLflow would try for minutes: no permission, no space, no folder, not a database."""
    if not address.startswith("sqlite:///"):
        return
    path = address.removeprefix("sqlite:///")
    try:
        connection = sqlite3.connect(path, uri=path.startswith("file:"), isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("CREATE TABLE dkd_probe (x)")  # a read-only database lets a transaction begin
            connection.execute("ROLLBACK")
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise _unusable(address, error) from error


def _unusable(address: str, error: Exception) -> UserError:
    reason = str(error).splitlines()[0][:300]
    return UserError(
        f"MLflow store {address} cannot be used: {reason}\n"
        "  the records under results/ are untouched; repair the store or set MLFLOW_TRACKING_URI, then `dkd sync`"
    )


def _artifacts(results: Path) -> Path:
    return Results(results).artifacts.resolve()
