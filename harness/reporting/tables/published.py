"""What papers and their repositories print, by dataset, line of their tables, and pair.

``published.csv`` says where each number stands, who ran it, and what its hours are. Left out: KD of real data on
CIFAR-10 in Fast-Datafree's README, which prints one value for all pairs.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from methods.base.pair import Pair

FILE = Path(__file__).with_name("published.csv")

TEACHER = "Teacher"
"""The line that holds the teachers."""

RUN_BY = {"authors": "", "others": "run by others", "reproduction": "independent reproduction"}
"""Who ran it, in words; a number of the first kind goes before one of the next."""
KINDS = {
    "table": "",
    "log": "from a log",
    "plot": "read off a plot",
    "comment": "as told in a comment",
    "summary": "second hand",
}
"""Where a number was read, in words."""
SELECTED = {"": "", "best": "best epoch", "last": "last epoch"}


class Key(NamedTuple):
    """What a printed number is of."""

    dataset: str
    line: str
    """Of the papers' tables."""
    pair: Pair


@dataclass(frozen=True)
class Printed:
    """A line of ``published.csv``: as it stands there, but for the units."""

    value: float | None
    """Percent; None where only hours are told."""
    sd: float | None
    """Of the seeds, in points."""
    seeds: str
    epochs: str
    selected: str
    """Whether it is the best epoch or the last; mostly nothing is said, which means the best."""
    hours: float | None
    hours_of: str
    hardware: str
    data: str
    """What the student was trained on."""
    run_by: str
    kind: Literal["table", "log", "plot", "comment", "summary"]
    source: str
    remark: str

    @property
    def about(self) -> list[str]:
        """What must be known to compare with it."""
        seeds = f"mean of {self.seeds} seeds" if self.seeds else ""
        epochs = f"{self.epochs} epochs" if self.epochs else ""
        hours = f"hours: {self.hours_of}" if self.hours else ""
        how = (KINDS[self.kind], RUN_BY[self.run_by], seeds, SELECTED[self.selected], epochs)
        return [part for part in (*how, self.data, hours, self.hardware, self.remark) if part]

    @property
    def elsewhere(self) -> str:
        """As one of several numbers for the same."""
        value = [f"{self.value:g}" + (f" ± {self.sd:g}" if self.sd else "")] if self.value else []
        hours = [f"{self.hours:g} h"] if self.hours else []
        about = f" ({'; '.join(self.about)})" if self.about else ""
        return f"{', '.join([*value, *hours])} in {self.source}{about}"


@dataclass(frozen=True)
class Published:
    """The number that stands beside ours, and what else is printed for the same."""

    first: Printed
    others: tuple[Printed, ...]

    @property
    def value(self) -> float:
        """Percent."""
        assert self.first.value is not None
        return self.first.value

    @property
    def hours(self) -> float | None:
        """Its own, or those that are told elsewhere with the same value."""
        same = [one for one in (self.first, *self.others) if one.value == self.first.value]
        return next((one.hours for one in same if one.hours), None)

    @property
    def note(self) -> str:
        """Where it stands, who ran it, on how much data, what its hours are, and what is printed elsewhere."""
        first = self.first
        differing = [other for other in self.others if (other.value, other.run_by) != (first.value, first.run_by)]
        return "; ".join([first.source, *first.about, *dict.fromkeys(other.elsewhere for other in differing)])


@functools.cache
def numbers() -> dict[Key, Published]:
    """All printed numbers: of several, the authors' own before others', and the first in the file among equals."""
    found: dict[Key, list[Printed]] = {}
    for key, printed in _read():
        found.setdefault(key, []).append(printed)
    return {key: _published(several) for key, several in found.items() if any(one.value for one in several)}


def of(dataset: str, line: str | None, pair: Pair) -> Published | None:
    """The number of one line for one pair."""
    return numbers().get(Key(dataset, line, pair)) if line else None


def lines(dataset: str, pairs: Iterable[Pair]) -> set[str]:
    """The lines that have a number for any of these pairs on a dataset."""
    wanted = set(pairs)
    return {key.line for key in numbers() if key.dataset == dataset and key.pair in wanted}


def _published(several: list[Printed]) -> Published:
    order = list(RUN_BY)
    first, *others = sorted(several, key=lambda one: (one.value is None, order.index(one.run_by)))
    return Published(first, tuple(others))


def _read() -> Iterable[tuple[Key, Printed]]:
    with FILE.open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            key = Key(line.pop("dataset"), line.pop("line"), Pair.of(line.pop("teacher"), line.pop("student")))
            # Papers print mIoU as a share and accuracy in percent.
            unit = 100 if line.pop("metric") == "miou" else 1
            value, sd, hours = (line.pop(name) for name in ("value", "sd", "hours"))
            yield key, Printed(_number(value, unit), _number(sd, unit), hours=_number(hours), **line)  # type: ignore[arg-type]


def _number(text: str, unit: float = 1) -> float | None:
    return float(text) * unit if text else None
