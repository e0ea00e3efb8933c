"""The complete csv behind the tables: one row per cell, everything that was measured and where it came from."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from harness.reporting.cells import IDENTITY, Cell
from harness.reporting.remarks import SMALL, Odd, of_runs
from harness.reporting.stats import Summary

MEASURED = {
    "final": "final",
    "best": "best_selected_on_test",
    "best_epoch": "best_epoch",
    "agreement": "agreement",
    "end_to_end": "end_to_end_seconds",
    "seconds.startup": "startup_seconds",
    "seconds.synthesis": "synthesis_seconds",
    "seconds.distillation": "distillation_seconds",
    "seconds.evaluation": "evaluation_seconds",
    "seconds.waiting": "waiting_seconds",
    "seconds.lost": "lost_seconds",
    "images": "images",
    "images_synthesised": "images_synthesised",
    "synthesis_rounds": "synthesis_rounds",
    "steps": "steps",
    "teacher_forwards": "teacher_forwards",
    "flops.synthesis": "synthesis_flops",
    "flops.distillation": "distillation_flops",
    "peak_memory_bytes": "peak_memory_bytes",
    "energy_joules": "energy_joules",
}
"""Column of the frame -> name in the csv, where it has a ``_mean`` and an ``_sd``."""

RECORDED = (
    *(
        "method",
        "preset",
        "preset_note",
        "metric",
        "data_verified",
        "data_free",
        "teacher_metric",
        "teacher_sha256",
        "device",
        "device_name",
        "threads",
    ),
    *("concurrent", "commit", "dirty", "plan_key", "key", "mlflow_run_id", "finished"),
)
"""Columns given as the distinct values of the runs that count, joined by semicolons."""

TIMES = ("end_to_end", "seconds.startup", "seconds.synthesis", "seconds.distillation")
COUNTS = ("images", "images_synthesised", "synthesis_rounds", "steps", "teacher_forwards")


def to_csv(cells: Sequence[Cell], columns: Sequence[str], odd: Odd, extra: Mapping[str, Mapping[str, str]] = {}) -> str:
    """A row per cell. Seconds, bytes, joules and percent throughout.

    Args:
        columns: those of the frame to summarise, out of ``MEASURED``.
        extra: name of a cell -> further columns, the same for all cells.
    """
    rows = [_row(cell, columns, odd) | dict(extra.get(cell.name, {})) for cell in cells]
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _row(cell: Cell, columns: Sequence[str], odd: Odd) -> dict[str, str]:
    identity = {name: getattr(cell, name) for name in IDENTITY} | {"scale": f"{cell.scale:g}"}
    row = {**identity, "n": str(len(cell.done)), "expected": str(cell.runs[0]["expected"])}
    row["seeds"] = ";".join(str(run["seed"]) for run in cell.done)
    for column in columns:
        row |= summarised(MEASURED[column], cell.summary(column))
    row |= {column: ";".join(cell.distinct(column)) for column in RECORDED}
    row["notes"] = "; ".join([*cell.problems(), *_notes(cell, odd)])
    return row


def _notes(cell: Cell, odd: Odd) -> list[str]:
    notes = of_runs(cell, odd)
    if any(run["device"] == "cpu" for run in cell.done):
        notes.append("shared machine")
    if any(run["images"] < SMALL for run in cell.done):
        notes.append(f"fewer than {SMALL} images")
    return notes


def summarised(name: str, summary: Summary) -> dict[str, str]:
    """The two columns of a quantity."""
    return {f"{name}_mean": _number(summary.mean), f"{name}_sd": _number(summary.sd)}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"
