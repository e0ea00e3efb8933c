"""The complete csv behind a table: a line per row, everything that was measured and where it came from."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence

from harness.reporting import columns, text
from harness.reporting.quantities import Quantity
from harness.reporting.rows import Row
from harness.reporting.stats import Summary
from harness.reporting.tables.remarks import Odd, of_cost, of_runs, of_time
from harness.store.layout import scale_text
from harness.store.records import FEW_IMAGES

RECORDED = (
    *("method", "preset", "preset_note", "metric", "data_verified", "prior", "teacher_metric", "teacher_sha256"),
    *("device", "device_name", "threads", "precision", "concurrent"),
    *("commit", "dirty", "plan_key", "key", "mlflow_run_id", "finished"),
)
"""Columns of a run of which the distinct values are given, joined by semicolons, over the runs that count."""


FORMULA = tuple("=+-@\t\r\n＝＋－＠")
"""What a cell begins with that spreadsheets take for a formula, or for blank before one."""


def to_csv(
    rows: Sequence[Row], measured: Sequence[Quantity], odd: Odd, extra: Mapping[str, Mapping[str, str]] = {}
) -> str:
    """A line per row. Seconds, bytes, joules and percent throughout.

    Args:
        measured: the quantities to summarise.
        extra: name of a row -> further columns, the same for all rows.
    """
    return written([_line(row, measured, odd) | dict(extra.get(row.name, {})) for row in rows])


def written(lines: Sequence[Mapping[str, str]]) -> str:
    """Lines that have the same columns, one at least, as a file that every spreadsheet reads as it is."""
    file = io.StringIO()
    writer = csv.DictWriter(file, fieldnames=list(lines[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _safe(value) for name, value in line.items()} for line in lines)
    return file.getvalue()


def summarised(name: str, summary: Summary) -> dict[str, str]:
    """The two columns of a quantity."""
    return {f"{name}_mean": _number(summary.mean), f"{name}_sd": _number(summary.sd)}


def _line(row: Row, measured: Sequence[Quantity], odd: Odd) -> dict[str, str]:
    line = {
        "study": row.study,
        "dataset": row.dataset,
        "teacher": row.pair.teacher,
        "student": row.pair.student,
        "scale": scale_text(row.scale),
        "label": row.label,
        "n": str(len(row.done)),
        "expected": str(row.expected),
        "seeds": ";".join(str(run.name.seed) for run in row.done),
    }
    for quantity in measured:
        line |= summarised(quantity.name, row.summary(quantity))
    line["overloaded_seeds"] = ";".join(str(run.name.seed) for run in row.overloaded)
    return line | _recorded(row) | {"notes": "; ".join([*row.problems(), *_notes(row, odd)])}


def _recorded(row: Row) -> dict[str, str]:
    runs = [columns.of(run) for run in row.done]
    values = {column: {run[column] for run in runs if run.get(column) is not None} for column in RECORDED}
    return {column: ";".join(sorted(map(_text, found))) for column, found in values.items()}


def _notes(row: Row, odd: Odd) -> list[str]:
    notes = [*of_runs(row, odd), *of_cost(row), *of_time([row])]
    if any(run.metrics.images < FEW_IMAGES for run in row.done):
        notes.append(f"fewer than {FEW_IMAGES} images")
    return notes


def _safe(value: str) -> str:
    """A cell that no spreadsheet takes for a formula, on one line; numbers stay numbers."""
    formula = value[:1] in FORMULA and not re.fullmatch(r"-?[\d.]+(e[+-]\d+)?", value)
    return text.line(value) if not formula else f"'{text.line(value)}"


def _text(value: object) -> str:
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.10g}"
