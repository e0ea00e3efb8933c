"""A cell: one run of the grid, a method on one pair, at one data scale, with one seed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from harness.data.own import OwnData
from harness.grid.places import Places
from harness.grid.study import Budget
from harness.store.bounds import Precision
from harness.store.layout import CellName


@dataclass(frozen=True)
class Cell(CellName):
    """What is asked of one run, and its name."""

    teacher_network: str
    """What `harness.networks` builds as the teacher; several teachers may share it."""
    student_network: str
    """What it builds as the student."""
    method: str
    """A name in methods/; of a file outside its name, such as ``mine.py``: where it lies is no part of a result."""
    preset: str | None
    """A named set of the method's hyperparameters."""
    budget: Budget
    """What the study gives to every method; goes over the preset."""
    options: Mapping[str, Any] = field(hash=False)
    """The label's own options; they go over everything. Read-only."""
    verify: bool
    threads: int
    device: str
    checkpoint_seconds: float | None
    deterministic: bool = False
    graphs: bool = False
    sharing: int = 1
    """How many cells its GPU is for at once: the study's ``share``."""
    precision: Precision = "fp32"
    own: OwnData | None = None
    """One's own images that the dataset's name stands for; None for a dataset of the bench."""
    outside: Mapping[str, Path] = field(default_factory=dict, compare=False)
    """Files outside the bench that hold code of it: ``method`` -> where it lies."""
    places: Places = field(default=Places(), compare=False, repr=False)
    """Where these values stand, for errors."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", MappingProxyType(dict(self.options)))

    def __reduce__(self) -> tuple[Any, ...]:
        """For other processes: a read-only mapping cannot be sent, what is in it can."""
        return _again, ({**vars(self), "options": dict(self.options)},)

    @property
    def data(self) -> str | OwnData:
        """The dataset as `data.load` takes it."""
        return self.own or self.dataset

    @property
    def method_source(self) -> str:
        """What `methods.load` takes: the method's name, or the path of its file."""
        return str(self.outside.get("method", self.method))

    @property
    def name(self) -> str:
        """Path of the cell under results/."""
        return str(self)


def _again(values: dict[str, Any]) -> Cell:
    return Cell(**values)
