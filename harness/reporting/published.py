"""What papers and their repositories print, by dataset, method and pair; ``published.csv`` says where."""

from __future__ import annotations

import csv
import functools
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.reporting.cells import Cell

FILE = Path(__file__).with_name("published.csv")

NAMES: tuple[tuple[str, str, int | None], ...] = (
    ("Student (real data)", "scratch", None),
    ("KD (real data)", "kd-real", None),
    ("KD-ORI (real data)", "kd-real", None),
    ("RANDOM noise", "kd-noise", None),
    ("DeepInv", "deepinversion", 1000),
    ("DeepInv-2k", "deepinversion", 2000),
    ("CMI", "cmi", 200),
    ("CMI-500", "cmi", 500),
    ("DAFL", "dafl", None),
    ("ZSKT", "zskt", None),
    ("DFAD", "dfad", None),
    ("DFQ", "dfq", None),
    ("Fast-2", "fast", 2),
    ("Fast-5", "fast", 5),
    ("Fast-10", "fast", 10),
    ("SSD-KD", "ssd-kd", None),
)
"""Row of the papers' tables, the method of ours that it compares with, and its inner steps where these are part of the
name. The order is that of the tables."""
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


Key = tuple[str, str, str, str]
"""Dataset, row, teacher, student."""


@functools.cache
def numbers() -> dict[Key, Published]:
    """All printed numbers; the first of several counts, and its note names the others."""
    rows: dict[Key, list[dict[str, str]]] = {}
    with FILE.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
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
    return [name for name, *_ in NAMES if name in there]


def counterpart(cells: Iterable[Cell]) -> str | None:
    """The row that a label's cells, all of one dataset, compare with; None if no table has one."""
    found = list(cells)
    steps = {json.loads(run["config"] or "{}").get("inner_steps") for cell in found for run in cell.runs}
    fitting = {
        name
        for name, method, inner_steps in NAMES
        if method == found[0].method and (inner_steps is None or steps == {inner_steps})
    }
    return next((name for name in rows(found[0].dataset) if name in fitting), None)


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
