"""MLflow as a view of the records: `dkd sync` is the only writer, and what it writes follows from results/ alone.

What a run looks like there is in view.py, how it is written in experiment.py.
"""

from __future__ import annotations

import hashlib
import itertools
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import describe
from harness.store import atomic, checking, occupancy, reading
from harness.store.layout import CellFolder, Results, RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Metrics, TrackingLink
from harness.tracking import view
from harness.tracking.experiment import Experiment
from harness.tracking.store import open_store


@dataclass
class SyncReport:
    """What one sync did."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    left_out: list[str] = field(default_factory=list)
    """Runs that are not in MLflow as they are on disk, and why: what cannot be read, and what MLflow refuses."""

    def __str__(self) -> str:
        skipped = f", {len(self.left_out)} left out" if self.left_out else ""
        return f"MLflow: {self.created} runs created, {self.updated} updated, {self.unchanged} unchanged{skipped}"


def sync(results: Path) -> SyncReport:
    """Bring MLflow up to date with all runs under ``results``. A second call changes nothing.

    One run that cannot be read or shown keeps no other from being there. Raises UserError when the store cannot be
    reached or written; no record is touched by that.
    """
    report = SyncReport()
    with open_store(results) as client:
        for study, found in itertools.groupby(Results(results).cells(), lambda cell: cell.name.study):
            cells = [cell for cell in found if cell.runs()]
            if cells:
                experiment = Experiment.open(client, study, results, _metrics(cells))
                for cell in cells:
                    _sync_cell(experiment, cell, report)
    return report


def follow(results: Path, seconds: float = 10.0) -> Iterator[SyncReport]:
    """Sync again and again, until interrupted."""
    while True:
        yield sync(results)
        time.sleep(seconds)


def _metrics(cells: Iterable[CellFolder]) -> list[str]:
    """The test metrics of a study, from one result of each of its datasets."""
    found: dict[str, str] = {}
    for cell in cells:
        if cell.name.dataset not in found and (result := reading.read_intact(cell.metrics, Metrics)):
            found[cell.name.dataset] = result.metric
    return sorted(set(found.values())) or ["top1"]


def _sync_cell(experiment: Experiment, cell: CellFolder, report: SyncReport) -> None:
    current = checking.current_key(cell)
    for run in cell.runs():
        try:
            _sync_run(experiment, run, current not in (None, run.key), report)
        except DamagedRecord as error:
            report.left_out.append(str(error))
        except Exception as error:
            if not _its_own_fault(error):
                raise
            report.left_out.append(f"{run.path}: left out of MLflow: {describe(error)}")


def _its_own_fault(error: Exception) -> bool:
    """Whether a run could not be shown because of what it holds, so that the next one may well be."""
    # A value that MLflow does not take has a code of its own; all else that MLflow and databases raise is the store's.
    store = type(error).__module__.partition(".")[0] in ("mlflow", "sqlalchemy", "sqlite3")
    return not store or getattr(error, "error_code", None) in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")


def _sync_run(experiment: Experiment, run: RunFolder, superseded: bool, report: SyncReport) -> None:
    working = not run.metrics.exists() and occupancy.working(run)
    fingerprint = _fingerprint(run, superseded, working)
    if _synced(run) == (experiment.store, fingerprint):
        report.unchanged += 1
        return
    try:
        shown = view.of_run(run, superseded, working)
    except FileNotFoundError:
        if run.manifest.exists():
            raise
        return  # just begun, or removed meanwhile
    run_id, created = experiment.push(shown)
    report.created += created
    report.updated += not created
    link = TrackingLink(run_id=run_id, tracking_uri=experiment.address, store=experiment.store, fingerprint=fingerprint)
    if run.manifest.exists():  # else it was removed meanwhile, and writing would bring its folder back
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
