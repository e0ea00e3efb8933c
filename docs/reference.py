"""What the committed records say, for reference-results.md and findings.md."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from harness.reporting.findings import findings, to_markdown
from harness.reporting.rows import Row, group
from harness.reporting.runs import load
from harness.reporting.tables import ablation, standard
from harness.reporting.tables.markdown import to_markdown as table_to_markdown
from harness.reporting.tables.mixture import check

REFERENCE = Path(__file__).parents[1] / "results/reference"
"""A folder for each device, laid out as a results folder."""


def results() -> str:
    """Of every study its headline table, and the ablation's if it is one."""
    return "".join(text for folder, study, rows in _studies() for text in _tables(folder, study, rows))


def held() -> str:
    """Of every study what it says to the paper's claims."""
    said = [(folder, study, found) for folder, study, rows in _studies() if (found := findings(rows))]
    return "\n".join(f"## {study}, {folder.name}\n\n{to_markdown(found)}" for folder, study, found in said)


def _studies() -> Iterator[tuple[Path, str, list[Row]]]:
    """Device's folder, study and rows."""
    for folder in sorted(path for path in REFERENCE.glob("*") if path.is_dir()):
        rows = group(load(folder))
        for study in sorted({row.study for row in rows}):
            yield folder, study, [row for row in rows if row.study == study]


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
    hours = {unit: sum(one.end_to_end + one.evaluation for one in found) / 3600 for unit, found in spent.items()}
    told = "".join(f", {of:.1f} {unit}" for unit, of in hours.items() if of)
    return f"{len(runs)} run{'s' * (len(runs) != 1)}{told}, evaluations included."
