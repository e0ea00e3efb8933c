"""A study's experiment in the store, and how one run is written into it. mlflow is imported where it is used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UserError
from harness.store.layout import Results
from harness.tracking import pages
from harness.tracking.address import address, identity, is_server
from harness.tracking.view import RunView

if TYPE_CHECKING:
    import mlflow.entities
    from mlflow import MlflowClient
    from mlflow.entities import Run

BATCH = 1000
"""Metrics that MLflow takes in one call."""
ELSE = "dkd-bench/"
"""Begins the name of a study's experiment where somebody else's bears the study's own."""


@dataclass(frozen=True)
class Experiment:
    """A study's experiment in the store."""

    client: MlflowClient
    id: str
    address: str
    """As records keep it."""
    created: int | None
    """Milliseconds since 1970."""

    @property
    def store(self) -> str:
        """Identity of the store: another address, or a database made anew, is another store."""
        return f"{self.address}#{self.id}@{self.created}"

    @classmethod
    def open(cls, client: MlflowClient, study: str, results: Path, metrics: Sequence[str]) -> Experiment:
        """The experiment of a study, made if it is not there, with views of its test metrics.

        Raises UserError if both names that it may have are taken by experiments of others.
        """
        uri = address(results)
        found = _find(client, study)
        if found is None:
            local = None if is_server(uri) else (Results(results).artifacts.resolve() / study).as_uri()
            found = _create(client, study, local, pages.experiment_tags(metrics))
        elif found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        if found.tags.get(pages.OURS) != pages.shown(metrics):  # another study, or an older bench
            for name, value in pages.experiment_tags(metrics).items():
                client.set_experiment_tag(found.experiment_id, name, value)
        return cls(client, found.experiment_id, identity(uri, results), found.creation_time)

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
        try:
            self._write(run_id, view)
        except Exception:
            if not stored:
                self.client.delete_run(run_id)
            raise
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
        for place, file in view.outside.items():
            self.client.log_artifact(run_id, str(file), f"outside/{place.rpartition('/')[0]}")
        if view.end is None:
            self.client.update_run(run_id, view.status)
        else:
            self.client.set_terminated(run_id, view.status, view.end)


def is_ours(found: mlflow.entities.Experiment) -> bool:
    """Whether the bench made this experiment; one that it made earlier has its views alone."""
    return pages.OURS in found.tags or pages.VIEW + pages.RUNS in found.tags


def _find(client: MlflowClient, study: str) -> mlflow.entities.Experiment | None:
    found = filter(None, (client.get_experiment_by_name(name) for name in (study, ELSE + study)))
    return next(filter(is_ours, found), None)


def _create(
    client: MlflowClient, study: str, artifacts: str | None, tags: dict[str, str]
) -> mlflow.entities.Experiment:
    """A new one; its tags are there from the beginning, so that it is ours whatever happens next."""
    for name in (study, ELSE + study):
        if client.get_experiment_by_name(name) is None:
            return client.get_experiment(client.create_experiment(name, artifact_location=artifacts, tags=tags))
    raise UserError(
        f"MLflow has experiments of others called {study} and {ELSE}{study}\n  rename or remove one of them"
    )


def _contradicts(stored: Run, view: RunView) -> bool:
    """Whether the stored run is of an earlier life of this key: values that MLflow can only add to differ."""
    finished = stored.data.tags.get("finished")
    return (
        stored.info.start_time != view.start
        or finished not in (None, view.tags.get("finished"))
        or any(view.params.get(name) != value for name, value in stored.data.params.items())
    )
