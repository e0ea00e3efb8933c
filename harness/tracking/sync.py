"""MLflow as a view of the records: `dkd sync` is the only writer, and what it writes follows from results/ alone.

What a run looks like there is in view.py, how it is written in store.py.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.store import atomic, checking, occupancy, reading
from harness.store.layout import Results, RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import TrackingLink
from harness.tracking import view
from harness.tracking.store import Experiment, open_store


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
        for cell in Results(results).cells():
            current, study = checking.current_key(cell), cell.name.study
            for run in cell.runs():
                if study not in homes:
                    homes[study] = Experiment.open(client, study, results)
                _sync_run(homes[study], run, current not in (None, run.key), report)
    return report


def follow(results: Path, seconds: float = 10.0) -> Iterator[SyncReport]:
    """Sync again and again, until interrupted."""
    while True:
        yield sync(results)
        time.sleep(seconds)


def _sync_run(experiment: Experiment, run: RunFolder, superseded: bool, report: SyncReport) -> None:
    working = not run.metrics.exists() and occupancy.working(run)
    fingerprint = _fingerprint(run, superseded, working)
    if _synced(run) == (experiment.store, fingerprint):
        report.unchanged += 1
        return
    try:
        shown = view.of_run(run, superseded, working)
    except FileNotFoundError:
        return  # just begun, or removed meanwhile
    except DamagedRecord as error:
        report.damaged.append(str(error))
        return
    run_id, created = experiment.push(shown)
    report.created += created
    report.updated += not created
    link = TrackingLink(run_id=run_id, tracking_uri=experiment.uri, store=experiment.store, fingerprint=fingerprint)
    atomic.write(run.link, link)


def _fingerprint(run: RunFolder, superseded: bool, working: bool) -> str:
    """Changes when the view may have changed: sizes and times of the records, without reading them."""
    stats = []
    for record in (run.manifest, run.events, run.metrics, run.samples):
        try:
            stat = record.stat()
            stats.append((record.name, stat.st_size, stat.st_mtime_ns))
        except FileNotFoundError:
            continue
    return hashlib.sha256(repr((stats, superseded, working)).encode()).hexdigest()


def _synced(run: RunFolder) -> tuple[str, str] | None:
    link = reading.read_intact(run.link, TrackingLink)
    return (link.store, link.fingerprint) if link else None
