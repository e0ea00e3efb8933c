"""`dkd import`: the finished runs of another results folder, checked and added to ours; nothing here is overwritten."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from harness.commands.submission import private
from harness.errors import UserError, one_line
from harness.store import atomic, checking, files, occupancy, place, reading
from harness.store.files import there
from harness.store.layout import Results, RunFolder, TeacherFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Manifest, Metrics
from harness.teachers import shelf
from harness.terminal import progress, say
from harness.wording import count

FolderT = TypeVar("FolderT", RunFolder, TeacherFolder)

WEIGHTS = 4 * 2**30
"""Bytes of a file of weights, at most; every other file has at most `files.MOST`."""
APART = "; --results DIR imports into a folder of its own"
"""What to do about what cannot lie beside ours."""


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
            f"{count(self.imported, 'run')} and {count(self.teachers, 'teacher')} imported, {self.known} already here"
            f"{unfinished}{left_out}"
        )


def merge(theirs: Path, ours: Path) -> ImportReport:
    """Import every teacher and finished run of ``theirs``. A second call changes nothing.

    What is damaged, what we have another result for, and what another teacher than ours taught is left out and named.
    Raises UserError if there is nothing to import from.
    """
    source, target = Results(theirs), Results(ours)
    if not any(source.cells()):
        what = "there is no cell in it" if place.is_there(theirs) else "there is no such folder"
        raise UserError(f"{theirs}: no results folder: {what}{place.elsewhere(theirs)}")
    if theirs.resolve() == ours.resolve():
        raise UserError(f"{theirs}: that is where results are imported to; --results names another place")
    work = _Import(source, target)
    with occupancy.hold(target.import_lock, f"import into {ours}"):
        work.everything()
    return work.report


class _Import:
    """One import into ``ours``. What is taken is copied first and checked then: nobody can change it in between."""

    def __init__(self, theirs: Results, ours: Results) -> None:
        self.theirs, self.ours, self.stage = theirs, ours, Results(ours.stage)
        self.report = ImportReport()

    def everything(self) -> None:
        """Take all that is finished, teachers first, since runs are checked against them."""
        for teacher in self.theirs.teachers():
            if there(teacher.record):
                self.attempt(self.teacher, teacher)
        runs = list(self.theirs.runs())
        for run in progress(runs, len(runs), "importing runs"):
            self.attempt(self.run, run)
        self.strays()
        shutil.rmtree(self.stage.path, ignore_errors=True)

    def attempt(self, step: Callable[[FolderT], None], folder: FolderT) -> None:
        """Do one step; note why it was not done."""
        shutil.rmtree(self.stage.path, ignore_errors=True)
        try:
            self._require_inside(folder.path)
            step(folder)
        except DamagedRecord as error:
            self._note(self._theirs(error.path), f"damaged record: {error.reason}")
        except Refused as error:
            self._note(folder.path, str(error))
        except OSError as error:
            if not Path(error.filename or "").is_relative_to(self.theirs.path):
                raise  # trouble of ours, a full disk for example
            self._note(Path(error.filename), f"cannot be taken: {error.strerror}")

    def teacher(self, folder: TeacherFolder) -> None:
        """Add a teacher where we have none."""
        record, target = checking.teacher(folder), self.ours.teacher(folder.dataset, folder.name)
        mine = checking.teacher_identity(target)
        if mine:
            other = f"another teacher than ours: sha256 {record.identity}, ours {mine}{APART}"
            _require(mine == record.identity, other)
            return
        _require(there(folder.weights), "its weights are missing")
        staged = self.stage.teacher(folder.dataset, folder.name)
        atomic.take(folder.weights, staged.weights, WEIGHTS)
        atomic.take(folder.record, staged.record, files.MOST)
        record = checking.teacher(staged, weights=True)
        _require(record.value >= record.floor, f"{record.value:.2f} % is below its floor of {record.floor:.2f} %")
        with shelf.alone(target, say):
            _require(not there(target.record), "a teacher of ours was made meanwhile; give the same command again")
            atomic.copy(staged.weights, target.weights)  # the record last, since it vouches for the weights
            atomic.copy(staged.record, target.record)
        self.report.teachers += 1

    def run(self, run: RunFolder) -> None:
        """Add a finished run; make it the cell's result if the cell has none here and it is the result there."""
        if not there(run.metrics):
            self.report.unfinished += 1
            return
        result, cell = checking.finished(run), self.ours.cell(run.cell.place)
        target = cell.run(run.key)
        if target.path.exists():
            _require(there(target.metrics), "we have begun the same run; finish or remove ours first")
            mine = checking.finished(target)
            _require(
                _alike(mine, result), f"we have another result of this key: {_shown(mine)}, there {_shown(result)}"
            )
            self.report.known += 1
        else:
            atomic.move(self._staged(run).path, target.path)
            self.report.imported += 1
        if not there(cell.metrics) and checking.current_key(run.cell) == run.key:
            atomic.copy(target.metrics, cell.metrics)

    def strays(self) -> None:
        """Note the folders in which nobody would find a run."""
        for folder in self.theirs.strays():
            self._note(folder.path, "left out: not the name of a cell")

    def _staged(self, run: RunFolder) -> RunFolder:
        """A copy beside our cells, checked: a run that is cut off must not look like one of ours."""
        staged = self.stage.cell(run.cell.place).run(run.key)
        for file in run.kept:
            if there(file):
                atomic.take(file, staged.path / file.name, WEIGHTS if file == run.student else files.MOST)
        manifest = reading.read_intact(staged.manifest, Manifest)  # a damaged one is told by what follows
        for name in manifest.outside if manifest else ():
            if there(run.outside(name)):
                self._require_inside(run.outside(name).parent)
                atomic.take(run.outside(name), staged.outside(name), files.MOST)
        result, _ = checking.whole(staged)
        mine = checking.teacher_identity(self.ours.teacher(result.dataset, result.teacher))
        taught = f"taught by another teacher than ours: sha256 {result.teacher_sha256}, ours {mine}{APART}"
        _require(mine in (None, result.teacher_sha256), taught)
        return staged

    def _require_inside(self, folder: Path) -> None:
        inside = folder.resolve() == self.theirs.path.resolve() / folder.relative_to(self.theirs.path)
        _require(inside, "lies elsewhere: there is a symbolic link on the way to it")

    def _theirs(self, path: Path) -> Path:
        """The file of theirs that a staged one is a copy of."""
        staged = path.is_relative_to(self.stage.path)
        return self.theirs.path / path.relative_to(self.stage.path) if staged else path

    def _note(self, path: Path, problem: str) -> None:
        self.report.problems.append(one_line(f"{path}: {problem}", 1000))


def _require(condition: bool, problem: str) -> None:
    if not condition:
        raise Refused(problem)


def _alike(mine: Metrics, other: Metrics) -> bool:
    """Whether two results are one: a submission's manifest names no host, and its texts no folder of a machine."""
    one, another = (private.withheld(result).model_copy(update={"manifest_sha256": None}) for result in (mine, other))
    return one == another


def _shown(result: Metrics) -> str:
    return f"{result.status}, {result.finished}" if result.final is None else f"{result.final:.2f} %, {result.finished}"
