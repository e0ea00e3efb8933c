"""What the committed records say, for the README, reference-results.md and findings.md."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from harness.grid.grid import load_grid
from harness.reporting import names, speed, text
from harness.reporting.findings import findings, to_markdown
from harness.reporting.quantities import COST, FINAL
from harness.reporting.rows import Row, group
from harness.reporting.runs import load
from harness.reporting.tables import ablation, standard
from harness.reporting.tables.markdown import to_markdown as table_to_markdown
from harness.reporting.tables.mixture import check
from harness.wording import count

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "results/reference"
"""A folder for each device, laid out as a results folder."""
FIRST = "cifar10-cpu"
"""The study whose table the README begins with, as far as it has run."""
AGAIN, CARD = "cifar10-gpu", "NVIDIA H200"
"""The same cells on a card, and the card whose accuracies stand beside them."""
PLAIN = "kd-real"
"""Distillation and nothing else, beside which the others' cost stands."""


def first() -> str:
    """Of the first study references and methods, the most accurate first."""
    planned = load_grid(ROOT / f"workflow/config/{FIRST}.yaml").cells
    scales = {cell.scale for cell in planned}
    rows = [row for row in _of_study(FIRST) if row.done and row.scale in scales]
    again = {(row.label, row.scale): row for row in _of_study(AGAIN) if _ran_on(row) == {CARD}}
    ordered = sorted(rows, key=lambda row: (not row.reference, -(row.summary(FINAL).mean or 0.0)))
    yet = sorted({cell.label for cell in planned} - {row.label for row in rows})
    plain = next(_relative(row) for row in rows if row.label == PLAIN)
    head = ("", "top-1 (%)", "CPU min", f"cost to {names.label(PLAIN)}", "seeds", f"{CARD}: top-1 (%)", "seeds")
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    lines += [f"| {' | '.join([*_line(row, plain), *_again(again.get((row.label, row.scale)))])} |" for row in ordered]
    there = sum(len(row.done) for row in rows)
    missing = f"none yet of {', '.join(map(names.label, yet))}" if yet else "of every label at least one seed"
    told = f"All {there} cells." if there == len(planned) else f"{there} of {len(planned)} cells so far; {missing}."
    return "\n".join([*lines, "", told, ""])


def _line(row: Row, plain: float) -> list[str]:
    accuracy, cost = row.summary(FINAL), row.summary(COST).scaled(1 / 60)
    beside = f" ({', '.join(row.priors)})" if row.priors else ""
    times = f"{_relative(row) / plain:.1f}"
    return [f"{row.title}{beside}", text.percent(accuracy), text.measured(cost), times, str(accuracy.n)]


def _again(row: Row | None) -> list[str]:
    """Accuracy and seeds of the same row on the card."""
    summary = row.summary(FINAL) if row else None
    return [text.percent(summary), str(summary.n)] if summary else [text.NOTHING, "0"]


def _of_study(name: str) -> list[Row]:
    return [row for _, study, rows in _studies() if study == name for row in rows]


def _ran_on(row: Row) -> set[str]:
    return {run.metrics.device_name for run in row.done}


def _relative(row: Row) -> float:
    """Mean cost in evaluations, since not all runs had an equally fast machine."""
    return fmean(speed.relative_cost(run) for run in row.done)


def results() -> str:
    """Of every study its headline table, and the ablation's if it is one."""
    return "".join(text for folder, study, rows in _studies() for text in _tables(folder, study, rows))


def held() -> str:
    """Of every study what it says to the paper's claims."""
    said = [(folder, study, found) for folder, study, rows in _studies() if (found := findings(rows))]
    return "\n".join(f"## {study}, {folder.name}\n\n{to_markdown(found)}" for folder, study, found in said)


@functools.cache
def _studies() -> list[tuple[Path, str, list[Row]]]:
    """Device's folder, study and rows."""
    folders = sorted(path for path in REFERENCE.glob("*") if path.is_dir())
    by_folder = {folder: group(load(folder)) for folder in folders}
    return [
        (folder, study, [row for row in rows if row.study == study])
        for folder, rows in by_folder.items()
        for study in sorted({row.study for row in rows})
    ]


def _tables(folder: Path, study: str, rows: list[Row]) -> Iterator[str]:
    yield f"## {study}, {folder.name}\n\n{_spent(rows)}\n\n"
    odd = check(rows, mixed=False)
    for table in (standard.tables(rows, odd)[0], *ablation.tables(rows, odd)):
        yield re.sub("^#", "###", table_to_markdown(table), flags=re.MULTILINE) + "\n"


def _spent(rows: list[Row]) -> str:
    """How many runs there are, and what they took."""
    runs = [run.metrics for row in rows for run in row.recorded]
    spent = {"core-hours": [run.cpu_seconds for run in runs if run.device == "cpu"]}
    spent |= {"hours of runs on a GPU": [run.seconds for run in runs if run.device != "cpu"]}
    hours = {unit: sum(one.evaluated for one in found) / 3600 for unit, found in spent.items()}
    told = "".join(f", {of:.1f} {unit}" for unit, of in hours.items() if of)
    return f"{count(len(runs), 'run')}{told}, evaluations included."
