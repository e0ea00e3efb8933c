"""The recorded runs of a results folder: all that reports are made of."""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from harness.reporting import plans
from harness.store import checking, place
from harness.store.layout import CellFolder, CellName, RunFolder
from harness.store.reading import DamagedRecord, read_events, read_intact
from harness.store.records import Attempt, Event, Manifest, Metrics, Planned, TrackingLink
from harness.terminal import progress


@dataclass(frozen=True)
class RecordedRun:
    """The current run of a cell, as its records tell it."""

    name: CellName
    expected: int
    """How many seeds its study has."""
    folder: RunFolder
    metrics: Metrics
    manifest: Manifest
    mlflow_run: str | None
    """Which MLflow run shows it, if `dkd sync` has seen it."""
    mlflow_server: str | None = None
    """Where that is shown; None where it lies in a file that `dkd ui` serves."""
    stale: bool = False
    """Whether the workflow last set out to run its cell with other code or another configuration."""
    planned: bool = False
    """Whether the workflow last set out to run its cell."""

    @property
    def status(self) -> str:
        """``done``, ``diverged`` or ``failed``."""
        return self.metrics.status

    @property
    def reason(self) -> str | None:
        """Why it failed or diverged."""
        return self.metrics.reason

    @property
    def config(self) -> dict[str, Any]:
        """Every value the method ran with."""
        return self.manifest.config

    @property
    def sources(self) -> dict[str, str]:
        """File to sha256 of the code that ran."""
        return self.manifest.sources

    @property
    def last(self) -> Attempt:
        """The process that brought it to its end."""
        return self.manifest.attempts[-1]

    @property
    def cell(self) -> CellFolder:
        """Folder of its cell."""
        return self.folder.cell


@dataclass(frozen=True)
class WaitingRun:
    """A cell that the workflow set out to run and that has no result yet: a place in its row, and no numbers."""

    status: ClassVar[str] = "waiting"
    planned: ClassVar[bool] = True
    reason: ClassVar[str] = "no result yet"

    name: CellName
    expected: int
    """How many seeds its study has."""
    folder: CellFolder
    """Of its cell, whether it is there or not."""
    method: str

    @property
    def cell(self) -> CellFolder:
        """Folder of its cell."""
        return self.folder


@dataclass(frozen=True)
class DamagedRun:
    """A run of which a record cannot be read: it has a place in its row, and no numbers."""

    status: ClassVar[str] = "damaged"
    planned: ClassVar[bool] = False

    name: CellName
    expected: int
    """How many seeds its study has."""
    folder: CellFolder
    """Of its cell: which of the runs there is the current one is not known."""
    reason: str

    @property
    def cell(self) -> CellFolder:
        """Folder of its cell."""
        return self.folder


Run = RecordedRun | DamagedRun | WaitingRun


def load(results: Path) -> list[Run]:
    """Every cell that has a result, with its current run, and those of the same studies that wait, in name order.

    Raises UserError if there is no such folder.
    """
    found = place.existing(results)
    if strays := list(found.strays()):
        warnings.warn(f"{len(strays)} folders look like a cell's and are none: `dkd doctor` names them", stacklevel=2)
    cells = list(found.finished())
    there = {cell.name for cell in cells}
    plan = plans.read_all(found, {name.study for name in there})
    seeds = Counter(study for study, _ in {(name.study, name.seed) for name in there | plan.keys()})
    ended = [
        _read(cell, seeds[cell.name.study], plan.get(cell.name)) for cell in progress(cells, len(cells), "reading runs")
    ]
    waiting = [
        WaitingRun(name, seeds[name.study], found.cell(name), planned.method)
        for name, planned in plan.items()
        if name not in there
    ]
    return sorted([*ended, *waiting], key=lambda run: run.cell.path)


def evaluations(run: RunFolder) -> list[Event]:
    """The learning curve of a run; empty, with a warning, where it is damaged."""
    try:
        return read_events(run)
    except (DamagedRecord, OSError) as error:
        warnings.warn(str(error), stacklevel=2)
        return []


def _read(cell: CellFolder, expected: int, planned: Planned | None) -> Run:
    try:
        metrics = checking.current(cell)
        run = cell.run(metrics.key)
        evidence = checking.evidence(run, metrics, cell.metrics, weights=False)
    except DamagedRecord as error:
        return DamagedRun(cell.name, expected, cell, error.reason)
    stale = planned is not None and planned.plan_key != metrics.plan_key
    return RecordedRun(cell.name, expected, run, metrics, evidence.manifest, *_mlflow(run), stale, planned is not None)


def _mlflow(run: RunFolder) -> tuple[str | None, str | None]:
    """The MLflow run that shows it, and the server that this lies on."""
    # The link is written after the run, by another command: that it is not there or damaged says nothing about the run.
    link = read_intact(run.link, TrackingLink)
    if not link:
        return None, None
    return link.run_id, link.tracking_uri if link.tracking_uri.startswith(("http://", "https://")) else None
