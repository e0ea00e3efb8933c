"""MLflow as a view of the records: `dkd sync` is the only writer, and what it writes follows from results/ alone.

What a run looks like there is in mlflow_view.py, how it is written in mlflow_store.py.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness import mlflow_view, runs, storage
from harness.mlflow_store import Experiment, open_store
from harness.records import DamagedRecord

RECORDS = ("manifest.json", "events.jsonl", "metrics.json", "samples.png")
"""Files that a run's view is made of."""


@dataclass
class SyncReport:
    """What one sync did."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    damaged: list[str] = field(default_factory=list)
    """Records that could not be read; their runs were left as they are."""

    def __str__(self) -> str:
        skipped = f", {len(self.damaged)} skipped" if self.damaged else ""
        return f"MLflow: {self.created} runs created, {self.updated} updated, {self.unchanged} unchanged{skipped}"


def sync(results: Path) -> SyncReport:
    """Bring MLflow up to date with all runs under ``results``. A second call changes nothing.

    Raises UserError when the store cannot be reached or written; no record is touched by that.
    """
    report = SyncReport()
    with open_store(results) as client:
        homes: dict[str, Experiment] = {}
        for cell in runs.cells(results):
            current = runs.current_key(cell)
            for run in runs.of_cell(cell):
                study = run.relative_to(results).parts[0]
                if study not in homes:
                    homes[study] = Experiment.open(client, study, results)
                _sync_run(homes[study], run, current not in (None, run.name), report)
    return report


def follow(results: Path, seconds: float = 10.0) -> Iterator[SyncReport]:
    """Sync again and again, until interrupted."""
    while True:
        yield sync(results)
        time.sleep(seconds)


def _sync_run(experiment: Experiment, run: Path, superseded: bool, report: SyncReport) -> None:
    working = not (run / "metrics.json").exists() and runs.working(run)
    fingerprint = _fingerprint(run, superseded, working)
    if _synced(run) == (experiment.store, fingerprint):
        report.unchanged += 1
        return
    try:
        view = mlflow_view.of_run(run, superseded, working)
    except FileNotFoundError:
        return  # just begun, or removed meanwhile
    except DamagedRecord as error:
        report.damaged.append(str(error))
        return
    run_id, created = experiment.push(view)
    report.created += created
    report.updated += not created
    link = {"run_id": run_id, "tracking_uri": experiment.uri, "store": experiment.store, "fingerprint": fingerprint}
    storage.write_bytes(run / "mlflow.json", (json.dumps(link, indent=1) + "\n").encode())


def _fingerprint(run: Path, superseded: bool, working: bool) -> str:
    """Changes when the view may have changed: sizes and times of the records, without reading them."""
    stats = []
    for name in RECORDS:
        try:
            stat = (run / name).stat()
            stats.append((name, stat.st_size, stat.st_mtime_ns))
        except FileNotFoundError:
            continue
    return hashlib.sha256(repr((stats, superseded, working)).encode()).hexdigest()


def _synced(run: Path) -> tuple[str, str] | None:
    try:
        link = json.loads((run / "mlflow.json").read_bytes())
        return link["store"], link["fingerprint"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
