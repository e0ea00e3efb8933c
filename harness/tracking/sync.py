"""MLflow as a view of the records: `dkd sync` is the only writer, and what it writes follows from results/ alone.

What a run looks like there is in view.py, how it is written in experiment.py.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import describe
from harness.store import atomic, checking, occupancy, reading
from harness.store.layout import CellFolder, Results, RunFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Metrics, TrackingLink
from harness.terminal import progress
from harness.tracking import points, rows, view
from harness.tracking.experiment import Experiment
from harness.tracking.pages import Contents
from harness.tracking.store import open_store
from harness.tracking.view import RunView
from harness.wording import count


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
        return (
            f"MLflow: {count(self.created, 'run')} created, {self.updated} updated, {self.unchanged} unchanged{skipped}"
        )


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
                experiment = Experiment.open(client, study, results, _contents(cells))
                rows = [list(seeds) for _, seeds in itertools.groupby(cells, lambda cell: cell.name.row)]
                for seeds in progress(rows, len(rows), f"MLflow: rows of {study}"):
                    _sync_row(experiment, [seen for cell in seeds for seen in _seen(cell, report)], report)
    return report


def follow(results: Path, seconds: float = 10.0) -> Iterator[SyncReport]:
    """Sync again and again, until interrupted."""
    while True:
        yield sync(results)
        time.sleep(seconds)


@dataclass(frozen=True)
class _Seen:
    """A run as it lies on the disk."""

    run: RunFolder
    superseded: bool
    working: bool
    asked: bool
    """Whether system metrics are asked for."""
    fingerprint: str

    @classmethod
    def of(cls, run: RunFolder, superseded: bool) -> _Seen:
        working = not run.metrics.exists() and occupancy.working(run)
        asked = os.environ.get(points.ASKED, "").lower() in ("true", "1")
        return cls(run, superseded, working, asked, _fingerprint(run, superseded, working, asked))

    def view(self) -> RunView:
        return view.of_run(self.run, self.superseded, self.working, self.asked)


def _contents(cells: Sequence[CellFolder]) -> Contents:
    """What a study has; its test metrics from one result of each of its datasets."""
    names = [cell.name for cell in cells]
    metrics: dict[str, str] = {}
    for cell in cells:
        if cell.name.dataset not in metrics and (result := reading.read_intact(cell.metrics, Metrics)):
            metrics[cell.name.dataset] = result.metric
    return Contents(
        metrics=tuple(sorted(set(metrics.values()))) or ("top1",),
        scales=tuple(sorted({name.scale for name in names})),
        pairs=len({(name.dataset, name.pair) for name in names}),
        rows=len({name.row for name in names}),
    )


def _seen(cell: CellFolder, report: SyncReport) -> list[_Seen]:
    current, found = checking.current_key(cell), []
    for run in cell.runs():
        with _left_out(run, report):
            found.append(_Seen.of(run, current not in (None, run.key)))
    return found


def _sync_row(experiment: Experiment, runs: Sequence[_Seen], report: SyncReport) -> None:
    """Write the runs of a row that changed, and then the row above them, whose numbers follow from all of them."""
    changed = [seen for seen in runs if _synced(seen.run) != (experiment.store, seen.fingerprint)]
    if not changed:
        report.unchanged += len(runs)
        return
    views = {seen.run.key: shown for seen in runs if (shown := _view(seen, report))}
    current = [views[seen.run.key] for seen in runs if not seen.superseded and seen.run.key in views]
    row = rows.of_row(current) if current else None
    above = experiment.begin(row) if row else None
    if above and above.new:
        changed = list(runs)  # all are to say that it is above them, also if this sync does not come to its end
        for seen in runs:
            seen.run.link.unlink(missing_ok=True)
    report.unchanged += len(runs) - len(changed)
    pushed = {}
    for seen in changed:
        if seen.run.key in views:
            with _left_out(seen.run, report):
                parent = above.id if above and not seen.superseded else None
                pushed[seen] = experiment.push(views[seen.run.key], parent)
                report.created += pushed[seen].new
                report.updated += not pushed[seen].new
    if row and above:
        experiment.write(above, row)
    for seen, run in pushed.items():
        _link(experiment, seen, run.id)


def _view(seen: _Seen, report: SyncReport) -> RunView | None:
    """What a run looks like; None if it cannot be read, or has only just begun."""
    with _left_out(seen.run, report):
        try:
            return seen.view()
        except FileNotFoundError:
            if seen.run.manifest.exists():
                raise
    return None  # just begun, or removed meanwhile


@contextmanager
def _left_out(run: RunFolder, report: SyncReport) -> Iterator[None]:
    """Note what keeps one run out; what would keep the others out as well is raised."""
    try:
        yield
    except DamagedRecord as error:
        report.left_out.append(str(error))
    except Exception as error:
        if not _its_own_fault(error):
            raise
        report.left_out.append(f"{run.path}: left out of MLflow: {describe(error)}")


def _link(experiment: Experiment, seen: _Seen, run_id: str) -> None:
    """Note what was written: the last thing, so that a sync that was killed before it does all of the row again."""
    link = TrackingLink(
        run_id=run_id, tracking_uri=experiment.address, store=experiment.store, fingerprint=seen.fingerprint
    )
    if seen.run.manifest.exists():  # else it was removed meanwhile, and writing would bring its folder back
        atomic.write(seen.run.link, link)


def _its_own_fault(error: Exception) -> bool:
    """Whether a run could not be shown because of what it holds, so that the next one may well be."""
    # A value that MLflow does not take has a code of its own; all else that MLflow and databases raise is the store's.
    store = type(error).__module__.partition(".")[0] in ("mlflow", "sqlalchemy", "sqlite3")
    return not store or getattr(error, "error_code", None) in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")


def _fingerprint(run: RunFolder, *seen: bool) -> str:
    """Changes when the view may have changed: sizes and times of the records, without reading them."""
    stats = []
    for record in (run.manifest, run.events, run.metrics, run.samples):
        try:
            stat = record.stat()
            stats.append((record.name, stat.st_size, stat.st_mtime_ns))
        except FileNotFoundError:
            continue
    return hashlib.sha256(repr((view.VERSION, stats, seen)).encode()).hexdigest()


def _synced(run: RunFolder) -> tuple[str, str] | None:
    link = reading.read_intact(run.link, TrackingLink)
    return (link.store, link.fingerprint) if link else None
