"""What papers and their repositories print, by dataset, row and pair.

``published.csv`` says where each number stands, ``published_rows.csv`` which method of ours a row compares with.
"""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.reporting.cells import Cell

FILE = Path(__file__).with_name("published.csv")
ROWS = Path(__file__).with_name("published_rows.csv")

TEACHER = "Teacher"
UNUSABLE = "suspect"
"""Part of the csv's column ``confidence``: an evident misprint."""


@dataclass(frozen=True)
class Published:
    """A printed number."""

    value: float
    """Percent."""
    hours: float | None
    note: str
    """Where it stands, on how much data, what its hours are, and what is printed elsewhere."""


@dataclass(frozen=True)
class KnownRow:
    """A row of the papers' tables."""

    name: str
    method: str
    """Of ours."""
    inner_steps: int | None
    """Where they are part of the name."""
    every_scale: bool
    """Whether our method is shown at every data scale, since that is what it is for; others are at 100 %."""


Key = tuple[str, str, str, str]
"""Dataset, row, teacher, student."""


@functools.cache
def known_rows() -> list[KnownRow]:
    """All rows that we can compare with, in the order of the papers' tables."""
    return [
        KnownRow(
            row["row"],
            row["method"],
            int(row["inner_steps"]) if row["inner_steps"] else None,
            row["every_scale"] == "yes",
        )
        for row in _read(ROWS)
    ]


@functools.cache
def numbers() -> dict[Key, Published]:
    """All printed numbers; the first of several counts, and its note names the others."""
    rows: dict[Key, list[dict[str, str]]] = {}
    for row in _read(FILE):
        if row["value"] and UNUSABLE not in row["confidence"]:
            key = row["dataset"], row["method"], row["teacher"], row["student"]
            rows.setdefault(key, []).append(row)
    return {key: _published(*found) for key, found in rows.items()}


def of(dataset: str, name: str, teacher: str, student: str) -> Published | None:
    """The number of one row for one pair."""
    return numbers().get((dataset, name, teacher, student))


def datasets() -> set[str]:
    """Datasets of which anything is printed."""
    return {key[0] for key in numbers()}


def rows(dataset: str) -> list[str]:
    """Names of the rows of which a dataset's tables have any number, in their order."""
    there = {name for printed_dataset, name, *_ in numbers() if printed_dataset == dataset}
    return [row.name for row in known_rows() if row.name in there]


def every_scale(method: str) -> bool:
    """Whether a method of ours is shown at every data scale."""
    return any(row.every_scale for row in known_rows() if row.method == method)


def counterpart(cells: Iterable[Cell]) -> str | None:
    """The row that a label's cells, all of one dataset, compare with; None if no table has one."""
    found = list(cells)
    steps = {json.loads(run["config"] or "{}").get("inner_steps") for cell in found for run in cell.done}
    fitting = {
        row.name
        for row in known_rows()
        if row.method == found[0].method and (row.inner_steps is None or steps == {row.inner_steps})
    }
    return next((name for name in rows(found[0].dataset) if name in fitting), None)


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as opened:
        return list(csv.DictReader(opened))


def _published(first: dict[str, str], *others: dict[str, str]) -> Published:
    differing = {row["source"]: row["value"] for row in others if row["value"] != first["value"]}
    note = "; ".join(
        [
            first["source"],
            *([first["data_scale"]] if first["data_scale"] else []),
            *([first["confidence"].replace("_", " ")] if first["confidence"] != "read_verbatim" else []),
        ]
    )
    return Published(
        _percent(first["value"], first["metric"]),
        float(first["hours"]) if first["hours"] else None,
        note + "".join(f"; {_percent(value, first['metric']):g} in {source}" for source, value in differing.items()),
    )


def _percent(value: str, metric: str) -> float:
    return float(value) * (100 if metric == "miou" else 1)
