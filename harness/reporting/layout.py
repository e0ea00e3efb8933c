"""Which columns of a study stand side by side, and what must be said below any of its tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from harness.reporting import text
from harness.reporting.cells import Cell, Run
from harness.reporting.provenance import SHA_DIGITS, commit

WIDTH = 10
"""Columns of numbers side by side: what a page takes, and what the paper's tables have (5 pairs, accuracy and time)."""

Columns = dict[str, list[Cell]]
"""Heading -> the cells of that column, one per label."""


def blocks(cells: Sequence[Cell], quantities: int, numbers: int = WIDTH) -> list[tuple[str, Columns]]:
    """Title and columns of each block: a dataset, or a dataset at one scale where it has many pairs and scales.

    Args:
        quantities: numbers that each column holds side by side.
        numbers: how many of them fit beside each other.
    """
    width = numbers // quantities
    found: list[tuple[str, Columns]] = []
    for dataset in sorted({cell.dataset for cell in cells}):
        settings = _settings(cell for cell in cells if cell.dataset == dataset)
        scales = sorted({scale for *_, scale in settings}, reverse=True)
        together = len(settings) <= width or len(scales) == len(settings)
        for part in [settings] if together else [{s: settings[s] for s in settings if s[-1] == k} for k in scales]:
            columns = list(part.values())
            found += [_block(dataset, columns[start : start + width]) for start in range(0, len(columns), width)]
    return found


def metric(cells: Sequence[Cell]) -> str:
    """Name and unit of the cells' metric as printed."""
    return text.metric(next((run["metric"] for cell in cells for run in cell.done), "top1"))


def provenance(cells: Sequence[Cell]) -> list[str]:
    """Notes on the teachers, the device and the code behind the runs that count; empty if none does."""
    runs = [run for cell in cells for run in cell.done]
    if not runs:
        return []
    teachers = sorted({_teacher(run) for run in runs})
    devices = sorted({f"{run['device_name']} ({run['device']}, {_threads(run['threads'])})" for run in runs})
    commits = sorted(Counter(commit(run) for run in runs).items())
    unverified = sorted({run["dataset"] for run in runs if not run["data_verified"]})
    return [
        *teachers,
        *([f"Unverified data: {', '.join(unverified)}; checksums were not compared."] if unverified else []),
        f"Device: {'; '.join(devices)}.",
        f"Code: {', '.join(f'commit {name} ({count} runs)' for name, count in commits)}"
        + ("; + means uncommitted changes." if any(run["dirty"] for run in runs) else "."),
    ]


def _settings(cells: Iterable[Cell]) -> dict[tuple[str, str, float], list[Cell]]:
    """(teacher, student, scale) -> cells, by pair and then from the largest scale down."""
    settings: dict[tuple[str, str, float], list[Cell]] = {}
    for cell in cells:
        settings.setdefault((cell.teacher, cell.student, cell.scale), []).append(cell)
    return dict(sorted(settings.items(), key=lambda item: (item[0][:2], -item[0][2])))


def _block(dataset: str, columns: Sequence[list[Cell]]) -> tuple[str, Columns]:
    """What the columns have in common goes to the title, the rest to their headings."""
    first = [cells[0] for cells in columns]
    if len({cell.scale for cell in first}) == 1:
        return f"{dataset}, {first[0].scale:g} % data", {cells[0].pair: cells for cells in columns}
    if len({cell.pair for cell in first}) == 1:
        return f"{dataset}, {first[0].pair}", {f"{cells[0].scale:g} %": cells for cells in columns}
    return dataset, {f"{cells[0].pair}, {cells[0].scale:g} %": cells for cells in columns}


def _teacher(run: Run) -> str:
    value = f"{run['teacher_metric']:.2f} {text.metric(run['metric'])}"
    return f"Teacher {run['teacher']} on {run['dataset']}: {value}, sha256 {run['teacher_sha256'][:SHA_DIGITS]}."


def _threads(count: int) -> str:
    return "1 thread" if count == 1 else f"{count} threads"
