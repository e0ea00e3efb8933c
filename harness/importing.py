"""`dkd import`: the finished runs of another results folder, checked and added to ours; nothing here is overwritten."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from harness import records, runs, storage
from harness.errors import UserError
from harness.records import DamagedRecord, Manifest, Metrics, TeacherRecord

FILES = ("manifest.json", "events.jsonl", "student.safetensors", "samples.png", "attempts.log", "metrics.json")
"""What a finished run consists of; its MLflow run stays where it is."""
STAGE = ".import"
"""Folder under results/ in which a run is put together before it is moved to its place."""


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
    if not any(runs.cells(theirs)):
        raise UserError(f"{theirs}: no results folder: there is no cell in it")
    if theirs.resolve() == ours.resolve():
        raise UserError(f"{theirs}: that is where results are imported to; --results names another place")
    work = _Import(theirs, ours)
    for teacher in sorted(theirs.glob("teachers/*/*/teacher.json")):
        work.attempt(work.teacher, teacher.parent)
    for cell in runs.cells(theirs):
        for run in runs.of_cell(cell):
            work.attempt(work.run, run)
    shutil.rmtree(ours / STAGE, ignore_errors=True)
    return work.report


class _Import:
    """One import from ``theirs`` to ``ours``."""

    def __init__(self, theirs: Path, ours: Path) -> None:
        self.theirs, self.ours = theirs, ours
        self.report = ImportReport()

    def attempt(self, step: Callable[[Path], None], folder: Path) -> None:
        """Do one step; note why it was not done."""
        try:
            step(folder)
        except DamagedRecord as error:
            self.report.problems.append(f"{error.path}: damaged record: {error.reason}")
        except Refused as error:
            self.report.problems.append(f"{folder}: {error}")

    def teacher(self, folder: Path) -> None:
        """Add a teacher where we have none."""
        record, target = records.read(folder / "teacher.json", TeacherRecord), self._target(folder)
        mine = _teacher_sha256(target)
        if mine:
            _require(mine == record.sha256, f"another teacher than ours: sha256 {record.sha256}, ours {mine}")
            return
        _require((folder / "teacher.safetensors").exists(), "its weights are missing")
        _check_file(folder / "teacher.safetensors", record.sha256)
        _require(record.value >= record.floor, f"{record.value:.2f} % is below its floor of {record.floor:.2f} %")
        for name in ("teacher.safetensors", "teacher.json"):
            storage.copy(folder / name, target / name)
        self.report.teachers += 1

    def run(self, run: Path) -> None:
        """Add a finished run; make it the cell's result if the cell has none here and it is the result there."""
        if not (run / "metrics.json").exists():
            self.report.unfinished += 1
            return
        result, target = self._checked(run), self._target(run)
        if target.exists():
            _require((target / "metrics.json").exists(), "we have begun the same run; finish or remove ours first")
            mine = records.read(target / "metrics.json", Metrics)
            _require(mine == result, f"we have another result of this key: {_shown(mine)}, there {_shown(result)}")
            self.report.known += 1
        else:
            self._add(run, target)
        copy = target.parent.parent / "metrics.json"
        if not copy.exists() and runs.current_key(run.parent.parent) == run.name:
            storage.copy(target / "metrics.json", copy)

    def _target(self, folder: Path) -> Path:
        return self.ours / folder.relative_to(self.theirs)

    def _checked(self, run: Path) -> Metrics:
        """The result of a run whose records all are what they should be."""
        result = records.read(run / "metrics.json", Metrics)
        _require((run / "manifest.json").exists(), "its manifest.json is missing")
        manifest = records.read(run / "manifest.json", Manifest)
        records.read_events(run / "events.jsonl")
        place = (run.parent.parent.relative_to(self.theirs).as_posix(), run.name)
        for record in (result, manifest):
            _require((record.cell, record.key) == place, f"holds the records of {record.cell}, key {record.key}")
        _require(manifest.teacher_sha256 == result.teacher_sha256, "metrics and manifest name different teachers")
        _check_file(run / "student.safetensors", result.student_sha256)
        _check_file(run / "samples.png", result.samples_sha256)
        mine = _teacher_sha256(self.ours / "teachers" / result.dataset / result.teacher)
        taught = f"taught by another teacher than ours: sha256 {result.teacher_sha256}, ours {mine}"
        _require(mine in (None, result.teacher_sha256), taught)
        return result

    def _add(self, run: Path, target: Path) -> None:
        """Copy beside the cells first: a run that is cut off must not look like one of ours."""
        stage = self.ours / STAGE / run.name
        shutil.rmtree(stage, ignore_errors=True)
        for name in FILES:
            if (run / name).exists():
                storage.copy(run / name, stage / name)
        storage.move(stage, target)
        self.report.imported += 1


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise Refused(problem)


def _check_file(path: Path, sha256: str | None) -> None:
    """A file may be missing (weights are often left behind), but not be another one."""
    _require(not path.exists() or storage.sha256(path) == sha256, f"{path.name} is not what its record says: sha256")


def _teacher_sha256(folder: Path) -> str | None:
    try:
        return records.read(folder / "teacher.json", TeacherRecord).sha256
    except FileNotFoundError:
        return None


def _shown(result: Metrics) -> str:
    return f"{result.status}, {result.finished}" if result.final is None else f"{result.final:.2f} %, {result.finished}"
