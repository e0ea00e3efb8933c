"""`dkd list`: the state of every cell of a grid, from the records alone. Never imports torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from harness import changes, keys, records, runs
from harness.config import Cell
from harness.records import DamagedRecord, Manifest, Metrics, TeacherRecord

State = Literal["done", "running", "waiting", "failed", "diverged", "stale", "damaged"]

SHOWN = 3
"""Changes named for a stale cell."""


@dataclass(frozen=True)
class CellStatus:
    """What is known of one cell."""

    name: str
    metrics: Path
    """The cell's metrics.json, whether it exists or not."""
    state: State
    detail: str = ""
    """Accuracy, epoch, reason of a failure, or what makes the result stale."""

    @property
    def must_rerun(self) -> bool:
        """A result is there but cannot be used: Snakemake does not see it, `-R` tells it."""
        return self.state in ("stale", "damaged")


def of_grid(cells: Iterable[Cell], results: Path) -> list[CellStatus]:
    """The state of every cell. Raises DamagedRecord for a damaged teacher.json, which concerns all its cells."""
    teachers: dict[str, str | None] = {}
    found = []
    for cell in cells:
        if cell.teacher_folder not in teachers:
            teachers[cell.teacher_folder] = _teacher_sha256(results / cell.teacher_folder)
        found.append(_of_cell(cell, results, teachers[cell.teacher_folder]))
    return found


def table(found: list[CellStatus]) -> Iterator[str]:
    """One line per cell, and the totals."""
    width = max((len(status.name) for status in found), default=0)
    for status in found:
        yield f"{status.state:<8}  {status.name:<{width}}  {status.detail}".rstrip()
    counts = Counter(status.state for status in found)
    totals = ", ".join(f"{count} {state}" for state, count in counts.most_common())
    yield f"{len(found)} cells: {totals}" if found else "0 cells"


def _teacher_sha256(folder: Path) -> str | None:
    try:
        return records.read(folder / "teacher.json", TeacherRecord).sha256
    except FileNotFoundError:
        return None


def _of_cell(cell: Cell, results: Path, teacher: str | None) -> CellStatus:
    folder = results / cell.name
    plan = keys.plan_key(cell)
    state, detail = _from_result(cell, folder, plan, teacher)
    if state in ("waiting", "stale") and teacher:
        state, detail = _from_run(folder / "runs" / keys.cell_key(plan, teacher), state, detail)
    return CellStatus(cell.name, folder / "metrics.json", state, detail)


def _from_result(cell: Cell, folder: Path, plan: str, teacher: str | None) -> tuple[State, str]:
    try:
        result = records.read(folder / "metrics.json", Metrics)
    except FileNotFoundError:
        return "waiting", "" if teacher else "its teacher is not trained"
    except DamagedRecord as error:
        return "damaged", error.reason
    if result.plan_key != plan or teacher not in (None, result.teacher_sha256):
        reasons = _reasons(cell, result, folder / "runs" / result.key, teacher)
        more = [f"and {len(reasons) - SHOWN} more"] if len(reasons) > SHOWN else []
        return "stale", "; ".join(reasons[:SHOWN] + more)
    if result.status == "done":
        return "done", f"{result.final:.2f} % {result.metric}, {result.seconds.end_to_end:.1f} s"
    return result.status, result.reason or ""


def _from_run(run: Path, state: State, detail: str) -> tuple[State, str]:
    """What the folder of the run that is wanted now adds: it may be running, or have stopped on the way."""
    if not run.is_dir():
        return state, detail
    latest = runs.progress(run)
    epoch = f"epoch {latest.epoch}/{latest.epochs}" if latest else ""
    if runs.working(run):
        return "running", f"at {epoch}" if epoch else "starting"
    notes = [detail, f"stopped at {epoch}" if epoch else ""]
    return state, "; ".join(filter(None, notes))


def _reasons(cell: Cell, result: Metrics, run: Path, teacher: str | None) -> list[str]:
    """What differs between the result and what the cell asks for now."""
    found = ["the teacher was retrained"] if teacher not in (None, result.teacher_sha256) else []
    if result.plan_key == keys.plan_key(cell):
        return found
    try:
        manifest = records.read(run / "manifest.json", Manifest)
    except (FileNotFoundError, DamagedRecord):
        return [*found, "code or configuration changed (the run's manifest is lost)"]
    changed = [
        *changes.of_sources(manifest.sources, keys.sources(cell)),
        *changes.of_numbers(manifest.numbers, keys.numbers()),
        *_changed_options(cell, result, manifest),
    ]
    unknown = (
        "a default, a preset or NUMBERS of harness/engine.py" if manifest.numbers is None else "a default or preset"
    )
    return found + (changed or [f"{unknown} changed"])


def _changed_options(cell: Cell, result: Metrics, manifest: Manifest) -> list[str]:
    """Options whose value is certain without importing the method: a preset may go over the study's defaults."""
    certain = cell.options if "preset" in cell.options else {**cell.defaults, **cell.options}
    then = {**manifest.config, "method": result.method, "threads": result.threads}
    now = {**certain, "method": cell.method, "threads": cell.threads}
    return changes.of_values(then, now)
