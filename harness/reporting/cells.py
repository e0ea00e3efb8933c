"""Runs grouped into the cells of a table: one label on one pair at one data scale, over its seeds."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from harness.reporting.stats import Summary, summarise

REFERENCES = ("scratch", "kd-real", "kd-noise")
"""Methods that are there to be compared with; drawn in grey and listed first."""

IDENTITY = ("study", "dataset", "teacher", "student", "scale", "label")
PAIR = IDENTITY[:4]

Run = dict[str, Any]
"""One row of the frame; what is not known is None."""

REASON_LENGTH = 160


@dataclass(frozen=True)
class Cell:
    """The seeds of one label on one pair at one data scale."""

    study: str
    dataset: str
    teacher: str
    student: str
    scale: float
    """Percent."""
    label: str
    runs: tuple[Run, ...]
    """In seed order, all statuses."""

    @property
    def name(self) -> str:
        """Its folder under the results folder; the anchor of its runs on the page."""
        return f"{self.study}/{self.dataset}/{self.teacher}--{self.student}/{self.label}/scale-{self.scale:g}"

    @property
    def pair(self) -> str:
        """Teacher and student as printed."""
        return f"{self.teacher} → {self.student}"

    @property
    def method(self) -> str:
        """The method that the label runs; the label itself where no record can be read."""
        return next((run["method"] for run in self.runs if run["method"]), self.label)

    @property
    def done(self) -> list[Run]:
        """The runs that count: neither failed nor diverged nor damaged."""
        return [run for run in self.runs if run["status"] == "done"]

    @property
    def reference(self) -> bool:
        """Whether this is a reference and not a data-free method under test."""
        return self.sees_data or self.label in REFERENCES or any(run["method"] in REFERENCES for run in self.runs)

    @property
    def sees_data(self) -> bool:
        """Whether real images reached the student."""
        return any(run["data_free"] is False for run in self.runs)

    def summary(self, column: str) -> Summary:
        """Mean and standard deviation of a column over the seeds that are done and report it."""
        return summarise([run[column] for run in self.done if run[column] is not None], int(self.runs[0]["expected"]))

    def distinct(self, column: str) -> list[str]:
        """The different values of a column among the runs that count, as text, sorted."""
        values = {run[column] for run in self.done if run[column] is not None}
        return sorted(f"{value:.10g}" if isinstance(value, float) else str(value) for value in values)

    def problems(self) -> list[str]:
        """One sentence per reason for which seeds do not count."""
        lost: dict[str, list[str]] = {}
        for run in self.runs:
            if run["status"] != "done":
                lost.setdefault(f"{run['status']}: {_short(run['reason'])}", []).append(str(run["seed"]))
        return [f"seed{'s' * (len(seeds) > 1)} {', '.join(seeds)} {reason}" for reason, seeds in lost.items()]


def group(frame: pd.DataFrame) -> list[Cell]:
    """The cells of a frame: references first, then methods, in natural order of their labels."""
    grouped: dict[tuple[Any, ...], list[Run]] = {}
    known = frame.astype(object).where(frame.notna(), None)
    for run in known.to_dict("records"):
        identity = tuple(run[name] for name in IDENTITY)
        grouped.setdefault(identity, []).append({str(name): value for name, value in run.items()})
    cells = [
        Cell(**dict(zip(IDENTITY, identity, strict=True)), runs=tuple(sorted(runs, key=_seed)))
        for identity, runs in grouped.items()
    ]
    return sorted(cells, key=lambda cell: (_rank(cell), natural(cell.label), -cell.scale, cell.name))


def difference(cell: Cell, label: str, cells: Iterable[Cell], column: str) -> Summary:
    """A column's difference to another label on the same pair at the same scale, over the seeds that both have done.

    Args:
        label: of which the cell is among ``cells``; without it there is no mean.
    """
    opposite = replace(cell, label=label).name
    theirs = {run["seed"]: run[column] for other in cells if other.name == opposite for run in other.done}
    pairs = [(run[column], theirs.get(run["seed"])) for run in cell.done]
    differences = [own - their for own, their in pairs if own is not None and their is not None]
    return summarise(differences, int(cell.runs[0]["expected"]))


def labels(cells: Iterable[Cell]) -> list[str]:
    """The different labels, in the order of ``cells``."""
    return list(dict.fromkeys(cell.label for cell in cells))


def by_pair(cells: Iterable[Cell]) -> dict[tuple[str, ...], list[Cell]]:
    """The values of ``PAIR`` -> the cells that have them, sorted by these values."""
    pairs: dict[tuple[str, ...], list[Cell]] = {}
    for cell in cells:
        pairs.setdefault(tuple(getattr(cell, name) for name in PAIR), []).append(cell)
    return dict(sorted(pairs.items()))


def natural(name: str) -> list[tuple[int, str]]:
    """Sort key under which ``fast-2`` comes before ``fast-10``."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", name)]


def _rank(cell: Cell) -> int:
    """References in their order, then everything else."""
    return REFERENCES.index(cell.label) if cell.label in REFERENCES else len(REFERENCES) + (not cell.reference)


def _seed(run: Run) -> int:
    return int(run["seed"])


def _short(reason: str | None) -> str:
    """One line of at most REASON_LENGTH characters."""
    text = " ".join((reason or "no reason recorded").split())
    return text if len(text) <= REASON_LENGTH else text[: REASON_LENGTH - 1] + "…"
