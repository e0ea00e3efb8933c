"""What papers and their repositories print, by dataset, line of their tables, and pair.

``published.csv`` says where each number stands.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from pathlib import Path

from methods.base.pair import Pair

FILE = Path(__file__).with_name("published.csv")

TEACHER = "Teacher"
"""The line that holds the teachers."""
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


Key = tuple[str, str, Pair]
"""Dataset, line, pair."""


@functools.cache
def numbers() -> dict[Key, Published]:
    """All printed numbers; the first of several counts, and its note names the others."""
    found: dict[Key, list[dict[str, str]]] = {}
    with FILE.open(newline="", encoding="utf-8") as file:
        for printed in csv.DictReader(file):
            if printed["value"] and UNUSABLE not in printed["confidence"]:
                pair = Pair.of(printed["teacher"], printed["student"])
                found.setdefault((printed["dataset"], printed["method"], pair), []).append(printed)
    return {key: _published(*several) for key, several in found.items()}


def of(dataset: str, line: str | None, pair: Pair) -> Published | None:
    """The number of one line for one pair."""
    return numbers().get((dataset, line, pair)) if line else None


def datasets() -> set[str]:
    """Datasets of which anything is printed."""
    return {dataset for dataset, *_ in numbers()}


def lines(dataset: str) -> set[str]:
    """The lines of which a dataset's tables have any number."""
    return {line for printed, line, _ in numbers() if printed == dataset}


def _published(first: dict[str, str], *others: dict[str, str]) -> Published:
    metric = first["metric"]
    differing = {other["source"]: other["value"] for other in others if other["value"] != first["value"]}
    elsewhere = [f"{_percent(value, metric):g} in {source}" for source, value in differing.items()]
    confidence = "" if first["confidence"] == "read_verbatim" else first["confidence"].replace("_", " ")
    note = "; ".join(part for part in (first["source"], first["data_scale"], confidence, *elsewhere) if part)
    hours = float(first["hours"]) if first["hours"] else None
    return Published(_percent(first["value"], metric), hours, note)


def _percent(value: str, metric: str) -> float:
    """Papers print mIoU as a share and accuracy in percent."""
    return float(value) * (100 if metric == "miou" else 1)
