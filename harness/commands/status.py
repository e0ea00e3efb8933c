"""The state of every cell of a grid, from the records alone. Never imports torch."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness.commands import costs, differences
from harness.data import identity
from harness.data.own import OwnData
from harness.grid import files, keys
from harness.grid.cell import Cell
from harness.store import checking, occupancy, reading, verdict
from harness.store.files import there
from harness.store.layout import CellFolder, Results, RunFolder, TeacherFolder
from harness.store.reading import DamagedRecord
from harness.store.records import Manifest, Metrics
from harness.teachers.shelf import how_to_make

State = Literal["done", "running", "waiting", "failed", "diverged", "stale", "damaged"]

GOING: Sequence[State] = ("running", "waiting")
"""What ends by itself, as long as somebody runs the grid."""
UNUSABLE: Sequence[State] = ("damaged", "stale")
"""Where a result is there that does not count."""
LEFT: Sequence[State] = (*UNUSABLE, *GOING)
"""What will run, or run again."""

SHOWN = 3
"""Changes named for a stale cell."""


@dataclass(frozen=True)
class CellStatus:
    """What is known of one cell."""

    cell: Cell
    folder: CellFolder
    state: State
    detail: str = ""
    """Accuracy, epoch, reason of a failure, or what makes the result stale."""
    result: Metrics | None = None
    """None where there is none, or it is damaged."""
    spent: float = 0.0
    """Seconds that a running one has worked until now."""

    @property
    def must_rerun(self) -> bool:
        """A result is there but cannot be used: Snakemake does not see it, `-R` tells it."""
        return self.state in UNUSABLE


def of_grid(cells: Iterable[Cell], results: Path) -> list[CellStatus]:
    """The state of every cell. Raises DamagedRecord for a damaged teacher.json, which concerns all its cells."""
    place = Results(results)
    # By names: making a path for every cell takes longer than looking at what it leads to.
    teacher = functools.cache(lambda dataset, name, own: _teacher(place.teacher(dataset, name), own))
    return [_of_cell(cell, place, teacher(cell.dataset, cell.pair.teacher, cell.own)) for cell in cells]


def totals(found: Iterable[CellStatus]) -> str:
    """How many are in which state, the most common first."""
    return ", ".join(f"{count} {state}" for state, count in Counter(one.state for one in found).most_common())


@dataclass(frozen=True)
class _Teacher:
    """What is known of a cell's teacher."""

    identity: str | None
    problem: str = ""
    """Why it cannot teach."""


def _teacher(folder: TeacherFolder, own: OwnData | None) -> _Teacher:
    try:
        record = checking.teacher(folder)
    except FileNotFoundError:
        return _Teacher(None, f"no teacher: {how_to_make(folder)}" if folder.own else "its teacher is not trained")
    reason = identity.outdated(record, own)
    made = "taken" if record.imported else "trained"
    return _Teacher(record.identity, f"its teacher must be {made} again: {reason}" if reason else "")


def _of_cell(cell: Cell, results: Results, teacher: _Teacher) -> CellStatus:
    folder = results.cell(cell.name)
    plan = keys.plan_key(cell)
    result, state, detail = _from_result(cell, folder, plan, teacher)
    spent = 0.0
    if state in ("waiting", "stale") and teacher.identity:
        state, detail, spent = _from_run(folder.run(keys.cell_key(plan, teacher.identity)), state, detail)
    return CellStatus(cell, folder, state, detail, result, spent)


def _from_result(cell: Cell, folder: CellFolder, plan: str, teacher: _Teacher) -> tuple[Metrics | None, State, str]:
    try:
        result = checking.current(folder)
    except FileNotFoundError:
        return None, "waiting", teacher.problem
    except DamagedRecord as error:
        return None, "damaged", error.reason
    run = folder.run(result.key)
    taught_otherwise = teacher.identity is not None and (teacher.problem or teacher.identity != result.teacher_sha256)
    if result.plan_key != plan or taught_otherwise:
        reasons = _reasons(cell, result, plan, run, teacher)
        more = [f"and {len(reasons) - SHOWN} more"] if len(reasons) > SHOWN else []
        return result, "stale", "; ".join(reasons[:SHOWN] + more)
    if not there(run.manifest) and there(run.metrics):
        return result, "damaged", f"{run.manifest.name} is missing"
    if result.status == "done":
        verified = verdict.words(run)
        told = [f"{result.final:.2f} % {result.metric}", costs.spent(result), *filter(None, [verified])]
        return result, "done", ", ".join(told)
    return result, result.status, result.reason or ""


def _from_run(run: RunFolder, state: State, detail: str) -> tuple[State, str, float]:
    """What the folder of the run that is wanted now adds: it may be running, or have stopped on the way."""
    if not run.path.is_dir():
        return state, detail, 0.0
    latest = occupancy.progress(run)
    epoch = f"epoch {latest.epoch}/{latest.epochs}" if latest else ""
    if occupancy.working(run):
        spent = latest.seconds.evaluated if latest else 0.0
        return "running", f"at {epoch}" if epoch else "starting", spent
    notes = [detail, f"stopped at {epoch}" if epoch else ""]
    return state, "; ".join(filter(None, notes)), 0.0


def _reasons(cell: Cell, result: Metrics, plan: str, run: RunFolder, teacher: _Teacher) -> list[str]:
    """What differs between the result and what the cell asks for now."""
    found = ["the teacher was retrained"] if teacher.identity not in (None, result.teacher_sha256) else []
    found += [teacher.problem] if teacher.identity and teacher.problem else []
    if result.plan_key == plan:
        return found
    try:
        manifest = reading.read(run.manifest, Manifest)
    except (FileNotFoundError, DamagedRecord):
        return [*found, "code or configuration changed (the run's manifest is lost)"]
    if manifest.scheme != keys.SCHEME:
        return [*found, differences.OTHER_SCHEME]
    changed = [
        *differences.of_sources(manifest.sources, keys.sources(cell)),
        *differences.of_data(manifest.data, keys.data(cell)),
        *differences.of_numbers(manifest.numbers, keys.NUMBERS),
        *_changed_options(cell, result, manifest),
    ]
    unknown = (
        "a default, a preset or NUMBERS of harness/grid/keys.py" if manifest.numbers is None else "a default or preset"
    )
    return found + (changed or [f"{unknown} changed"])


def _changed_options(cell: Cell, result: Metrics, manifest: Manifest) -> list[str]:
    """Options that are given; those of a preset are not known without importing the method."""
    certain = files.plain({**cell.budget.options, **cell.options})
    names = ("method", "preset", "threads", "precision")
    then = {**manifest.config, **{name: getattr(result, name) for name in names}}
    return differences.of_values(then, {**certain, **{name: getattr(cell, name) for name in names}})
