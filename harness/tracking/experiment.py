"""A study's experiment in the store, and how one run is written into it. mlflow is imported where it is used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from harness.errors import UserError
from harness.store.layout import Results
from harness.tracking import notes, pages
from harness.tracking.address import address, identity, is_server
from harness.tracking.pages import Contents
from harness.tracking.view import FINISHED, NOTE, DatasetView, RunView, version

if TYPE_CHECKING:
    import mlflow.entities
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run

BATCH = 1000
"""Metrics that MLflow takes in one call."""
PARENT = "mlflow.parentRunId"
"""The tag that makes a run another's child."""
CONTEXT = {"mlflow.data.context": "test"}
"""What a run's dataset is for: students of data-free methods never see its training images."""
NOTHING: Mapping[str, str] = MappingProxyType({})
ELSE = "dkd-bench/"
"""Begins the name of a study's experiment where somebody else's bears the study's own."""


@dataclass(frozen=True)
class Begun:
    """A run in the store."""

    id: str
    new: bool
    parent: str | None


@dataclass(frozen=True)
class Experiment:
    """A study's experiment in the store."""

    client: MlflowClient
    id: str
    address: str
    """As records keep it."""
    created: int | None
    """Milliseconds since 1970."""
    empty: bool
    """Whether there is no run in it, so that none needs to be looked for."""

    @property
    def store(self) -> str:
        """Identity of the store: another address, or a database made anew, is another store."""
        return f"{self.address}#{self.id}@{self.created}"

    @classmethod
    def open(cls, client: MlflowClient, study: str, results: Path, contents: Contents) -> Experiment:
        """The experiment of a study, made if it is not there, with views of what the study has.

        Raises UserError if both names that it may have are taken by experiments of others.
        """
        uri = address(results)
        found = _find(client, study)
        if found is None:
            local = None if is_server(uri) else (Results(results).artifacts.resolve() / study).as_uri()
            found = _create(client, study, local)
        elif found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        _describe(client, found, study, contents)
        empty = not client.search_runs([found.experiment_id], max_results=1)
        return cls(client, found.experiment_id, identity(uri, results), found.creation_time, empty)

    def find(self, tag: str, value: str) -> Run | None:
        """The run that has this value of the tag that tells it from all others."""
        found = [] if self.empty else self.client.search_runs([self.id], f"tags.{tag} = '{value}'", max_results=1)
        return found[0] if found else None

    def begin(self, view: RunView, above: Mapping[str, str] = NOTHING) -> Begun:
        """The run that is to become equal to a view: the one that is there, unless it can only be made anew.

        ``above`` are tags that say where it belongs; a new one has all its tags from its beginning.
        """
        stored = self.find(*view.identity)
        if stored and _contradicts(stored, view):
            self.client.delete_run(stored.info.run_id)
            stored = None
        if stored:
            return Begun(stored.info.run_id, False, stored.data.tags.get(PARENT))
        run = self.client.create_run(self.id, view.start, {**view.tags, **above}, run_name=view.name)
        return Begun(str(run.info.run_id), True, None)

    def push(self, view: RunView, parent: str | None) -> Begun:
        """Make a run equal to its view, below ``parent``."""
        above = {PARENT: parent} if parent else NOTHING
        run = self.begin(view, above)
        try:
            self.write(run, view, above)
            if run.parent and not parent:
                self.client.delete_tag(run.id, PARENT)
        except Exception:
            if run.new:
                self.client.delete_run(run.id)
            raise
        return run

    def write(self, run: Begun, view: RunView, above: Mapping[str, str] = NOTHING) -> None:
        """Write all of a view into a run that was begun for it."""
        from mlflow.entities import Metric, Param, RunTag

        params = [Param(name, value) for name, value in view.params.items()]
        tags = [] if run.new else [RunTag(name, value) for name, value in {**view.tags, **above}.items()]
        metrics = [Metric(point.name, point.value, point.time, point.step) for point in view.points]
        first = max(0, BATCH - len(params) - len(tags))
        self.client.log_batch(run.id, metrics[:first], params, tags)
        for start in range(first, len(metrics), BATCH):
            self.client.log_batch(run.id, metrics[start : start + BATCH])
        self.client.log_inputs(run.id, [_input(view.dataset)])
        for place, file in view.files.items():
            self.client.log_artifact(run.id, str(file), place.rpartition("/")[0] or None)
        if view.config is not None:
            self.client.log_dict(run.id, view.config, "config.json")
        if view.end is None:
            self.client.update_run(run.id, view.status)
        else:
            self.client.set_terminated(run.id, view.status, view.end)


def is_ours(found: mlflow.entities.Experiment) -> bool:
    """Whether the bench made this experiment; one that it made earlier has its views alone."""
    return pages.OURS in found.tags or f"{pages.VIEW}dkd-runs" in found.tags


def _find(client: MlflowClient, study: str) -> mlflow.entities.Experiment | None:
    found = filter(None, (client.get_experiment_by_name(name) for name in (study, ELSE + study)))
    return next(filter(is_ours, found), None)


def _create(client: MlflowClient, study: str, artifacts: str | None) -> mlflow.entities.Experiment:
    """A new one; the tag that makes it ours is there from the beginning, whatever happens next."""
    for name in (study, ELSE + study):
        if client.get_experiment_by_name(name) is None:
            tags = {pages.OURS: ""}
            return client.get_experiment(client.create_experiment(name, artifact_location=artifacts, tags=tags))
    raise UserError(
        f"MLflow has experiments of others called {study} and {ELSE}{study}\n  rename or remove one of them"
    )


def _describe(client: MlflowClient, found: mlflow.entities.Experiment, study: str, contents: Contents) -> None:
    """Write what the experiment's tags should be where they are not, and remove views that the study has no more."""
    links = {what: pages.link("", found.experiment_id, view) for view, what in pages.views(contents).items()}
    wanted = {NOTE: notes.of_study(study, contents.rows, links), **pages.experiment_tags(contents)}
    for name, value in wanted.items():
        if found.tags.get(name) != value:
            client.set_experiment_tag(found.experiment_id, name, value)
    for name in found.tags:
        if name.startswith(pages.VIEW + pages.PREFIX) and name not in wanted:
            client.delete_experiment_tag(found.experiment_id, name)


def _input(dataset: DatasetView) -> DatasetInput:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = json.dumps({"uri": dataset.name})
    return DatasetInput(
        Dataset(dataset.name, dataset.digest, "local", source), [InputTag(key, value) for key, value in CONTEXT.items()]
    )


def _contradicts(stored: Run, view: RunView) -> bool:
    """Whether the stored run is of an earlier life of this key: values that MLflow can only add to differ."""
    tags = stored.data.tags
    return (
        stored.info.start_time != view.start
        or not view.tags.get(FINISHED, "").startswith(tags.get(FINISHED, ""))
        or any(tags.get(name) != value for name, value in version().items())
        or any(view.params.get(name) != value for name, value in stored.data.params.items())
    )
