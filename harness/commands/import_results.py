"""`dkd import`: the finished runs of another results folder, checked and added to ours; nothing here is overwritten."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.errors import UserError
from harness.store import atomic, reading
from harness.store.checksums import sha256
from harness.store.layout import Results, RunFolder, TeacherFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Manifest, Metrics, TeacherRecord

FolderT = TypeVar("FolderT", RunFolder, TeacherFolder)


class Refused(Exception):
    """Why something is not imported."""


@dataclass
class ImportReport:
    """What one import did."""

    teachers: int = 0
    imported: int = 0
    known: int = 0
    """Runs that were here already, equal to theirs."""
    unfinished: int = 0
    problems: list[str] = field(default_factory=list)
    """What was left out although it was finished, and why."""

    def __str__(self) -> str:
        left_out = f", {len(self.problems)} left out" if self.problems else ""
        unfinished = f", {self.unfinished} unfinished" if self.unfinished else ""
        return (
            f"{self.imported} runs and {self.teachers} teachers imported, {self.known} already here"
            f"{unfinished}{left_out}"
        )


def merge(theirs: Path, ours: Path) -> ImportReport:
    """Import every teacher and finished run of ``theirs``. A second call changes nothing.

    What is damaged, what we have another result for, and what another teacher than ours taught is left out and named.
    Raises UserError if there is nothing to import from.
    """
    source, target = Results(theirs), Results(ours)
    if not any(source.cells()):
        raise UserError(f"{theirs}: no results folder: there is no cell in it")
    if theirs.resolve() == ours.resolve():
        raise UserError(f"{theirs}: that is where results are imported to; --results names another place")
    work = _Import(target)
    for teacher in source.teachers():
        if teacher.record.exists():
            work.attempt(work.teacher, teacher)
    for run in source.runs():
        work.attempt(work.run, run)
    shutil.rmtree(target.stage, ignore_errors=True)
    return work.report


class _Import:
    """One import into ``ours``."""

    def __init__(self, ours: Results) -> None:
        self.ours = ours
        self.report = ImportReport()

    def attempt(self, step: Callable[[FolderT], None], folder: FolderT) -> None:
        """Do one step; note why it was not done."""
        try:
            step(folder)
        except DamagedRecord as error:
            self.report.problems.append(f"{error.path}: damaged record: {error.reason}")
        except Refused as error:
            self.report.problems.append(f"{folder.path}: {error}")

    def teacher(self, folder: TeacherFolder) -> None:
        """Add a teacher where we have none."""
        record, target = reading.read(folder.record, TeacherRecord), self.ours.teacher(folder.dataset, folder.network)
        mine = reading.teacher_sha256(target)
        if mine:
            _require(mine == record.sha256, f"another teacher than ours: sha256 {record.sha256}, ours {mine}")
            return
        _require(folder.weights.exists(), "its weights are missing")
        _check_file(folder.weights, record.sha256)
        _require(record.value >= record.floor, f"{record.value:.2f} % is below its floor of {record.floor:.2f} %")
        atomic.copy(folder.weights, target.weights)
        atomic.copy(folder.record, target.record)
        self.report.teachers += 1

    def run(self, run: RunFolder) -> None:
        """Add a finished run; make it the cell's result if the cell has none here and it is the result there."""
        if not run.metrics.exists():
            self.report.unfinished += 1
            return
        result, cell = self._checked(run), self.ours.cell(run.cell.name)
        target = cell.run(run.key)
        if target.path.exists():
            _require(target.metrics.exists(), "we have begun the same run; finish or remove ours first")
            mine = reading.read(target.metrics, Metrics)
            _require(mine == result, f"we have another result of this key: {_shown(mine)}, there {_shown(result)}")
            self.report.known += 1
        else:
            self._add(run, target)
        if not cell.metrics.exists() and reading.current_key(run.cell) == run.key:
            atomic.copy(target.metrics, cell.metrics)

    def _checked(self, run: RunFolder) -> Metrics:
        """The result of a run whose records all are what they should be."""
        result = reading.read(run.metrics, Metrics)
        _require(run.manifest.exists(), f"its {run.manifest.name} is missing")
        manifest = reading.read(run.manifest, Manifest)
        reading.read_events(run)
        for record in (result, manifest):
            is_here = (record.cell, record.key) == (str(run.cell.name), run.key)
            _require(is_here, f"holds the records of {record.cell}, key {record.key}")
        _require(manifest.teacher_sha256 == result.teacher_sha256, "metrics and manifest name different teachers")
        _check_file(run.student, result.student_sha256)
        _check_file(run.samples, result.samples_sha256)
        mine = reading.teacher_sha256(self.ours.teacher(result.dataset, result.teacher))
        taught = f"taught by another teacher than ours: sha256 {result.teacher_sha256}, ours {mine}"
        _require(mine in (None, result.teacher_sha256), taught)
        return result

    def _add(self, run: RunFolder, target: RunFolder) -> None:
        """Copy beside the cells first: a run that is cut off must not look like one of ours."""
        stage = self.ours.stage / run.key
        shutil.rmtree(stage, ignore_errors=True)
        for file in run.kept:
            if file.exists():
                atomic.copy(file, stage / file.name)
        atomic.move(stage, target.path)
        self.report.imported += 1


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise Refused(problem)


def _check_file(path: Path, expected: str | None) -> None:
    """A file may be missing (weights are often left behind), but not be another one."""
    _require(not path.exists() or sha256(path) == expected, f"{path.name} is not what its record says: sha256")


def _shown(result: Metrics) -> str:
    return f"{result.status}, {result.finished}" if result.final is None else f"{result.final:.2f} %, {result.finished}"
