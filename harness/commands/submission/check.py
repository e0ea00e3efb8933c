"""`dkd submit --check`: whether a submission is whole, and whether its records agree with one another.

It says nothing of whether the numbers are true: that shows when somebody runs the cells again (docs/leaderboard.md).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from harness.commands.submission import archive, commits, contents, private
from harness.commands.submission.commits import Origin
from harness.errors import UserError
from harness.grid import keys
from harness.store import checking, reading
from harness.store.layout import CellFolder, Results
from harness.store.reading import DamagedRecord
from harness.store.records import Event, Manifest, Metrics, Plan, Record, Seconds
from harness.terminal import progress
from harness.wording import count, some

SHOWN = 10
"""Problems that an error names, at most."""


@dataclass
class Findings:
    """What a check found."""

    cells: int = 0
    teachers: int = 0
    problems: list[str] = field(default_factory=list)
    """Why it cannot be taken, a line each."""
    origins: Counter[Origin] = field(default_factory=Counter)
    own: set[str] = field(default_factory=set)
    """Labels of which files of one's own are part."""

    def __str__(self) -> str:
        code = "".join(f"\n  {number} with code {origin}" for origin, number in sorted(self.origins.items()))
        own = f"\n  with files of the sender's own: {', '.join(sorted(self.own))}" if self.own else ""
        wrong = f", {count(len(self.problems), 'problem')}" if self.problems else ", all records agree"
        return f"{count(self.cells, 'cell')}, records of {count(self.teachers, 'teacher')}{wrong}{code}{own}"


def check(path: Path) -> Findings:
    """Check a submission, a folder or an archive. Raises UserError if it is neither."""
    with archive.opened(path) as folder:
        found = of(Results(folder))
    if not found.cells:
        raise UserError(f"{path}: not a submission: there is no cell in it")
    return found


def of(folder: Results) -> Findings:
    """Check a submission that is a folder."""
    found = Findings(sum(1 for _ in folder.cells()), sum(1 for _ in folder.teachers()))
    found.problems += contents.strange(folder)
    if found.problems:  # nothing is read that is not a record
        return found
    found.problems += contents.otherwise(folder)
    found.problems += [f"{stray.place}: not the name of a cell" for stray in folder.strays()]
    for cell in progress(folder.cells(), found.cells, "checking cells"):
        try:
            found.problems += [f"{cell.place}: {problem}" for problem in _cell(cell, found)]
            if (plan := folder.planned(cell.name.study)).exists():
                reading.read(plan, Plan)
        except DamagedRecord as error:
            found.problems.append(f"{error.path.relative_to(folder.path)}: {error.reason}")
        except FileNotFoundError as error:
            found.problems.append(f"{Path(str(error.filename)).relative_to(folder.path)}: is missing")
    return found


def require(folder: Results, name: object) -> Findings:
    """What a check of ``folder`` finds. Raises UserError that says of ``name`` what is wrong, if anything is."""
    found = of(folder)
    if found.problems:
        raise UserError("\n  ".join([f"{name}: records do not agree", *some(found.problems, SHOWN)]))
    return found


def _cell(cell: CellFolder, found: Findings) -> Iterator[str]:
    """What does not agree in a cell. Raises DamagedRecord and FileNotFoundError."""
    run = cell.run(checking.current(cell).key)
    result, evidence = checking.whole(run, weights=False)
    manifest = evidence.manifest
    if old := [other.key for other in cell.runs() if other.key != run.key]:
        yield f"holds a run that is not its result: {', '.join(old)}"
    yield from _key(result)
    yield from _teacher(cell, result)
    yield from _learning(evidence.events)
    yield from _device(result, manifest)
    yield from _private(result, manifest)
    origin = commits.origin(manifest)
    found.origins[origin] += 1
    if origin is Origin.CHANGED and not manifest.attempts[-1].dirty:
        yield f"its code is not that of commit {manifest.attempts[-1].commit}: {', '.join(commits.differing(manifest))}"
    if manifest.outside:
        found.own.add(result.label)


def _key(result: Metrics) -> Iterator[str]:
    expected = keys.cell_key(result.plan_key, result.teacher_sha256)
    if result.key != expected:
        yield f"key is {result.key}, plan key and teacher make {expected}"


def _teacher(cell: CellFolder, result: Metrics) -> Iterator[str]:
    record = checking.teacher(cell.results.teacher(result.dataset, result.teacher))
    yield from _unequal("teacher_sha256", result.teacher_sha256, record.identity, "its teacher's record")
    if not checking.measured_alike(result.teacher_metric, record.value):
        yield from _unequal("teacher_metric", result.teacher_metric, record.value, "its teacher's record")
    yield from _kept(record)


def _learning(events: list[Event]) -> Iterator[str]:
    """Whether the curve goes on as time does."""
    for before, after in pairwise(events):
        back = [name for name in Seconds.model_fields if getattr(after.seconds, name) < getattr(before.seconds, name)]
        back += [name for name in ("epoch", "step", "round", "time") if getattr(after, name) < getattr(before, name)]
        if back:
            yield f"evaluation {after.n}: {', '.join(back)} went back"


def _device(result: Metrics, manifest: Manifest) -> Iterator[str]:
    last = manifest.attempts[-1]
    for name in ("device", "device_name", "threads"):
        yield from _unequal(name, getattr(result, name), getattr(last, name), "the manifest")
    yield from _unequal("status", result.status, last.outcome, "the manifest")


def _private(*records: Record) -> Iterator[str]:
    for record in records:
        yield from _kept(record)


def _kept(record: Record) -> Iterator[str]:
    yield from (f"tells of a private machine: {what}; `dkd submit` withholds it" for what in private.told(record))


def _unequal(name: str, found: object, expected: object, who: str) -> Iterator[str]:
    if found != expected:
        yield f"{name} is {found}, {who} says {expected}"
