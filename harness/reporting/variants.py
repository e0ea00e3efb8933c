"""Labels of a study that run one method with different options, and which of them is the one to compare with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.reporting import text
from harness.reporting.cells import Cell, by_pair, difference, labels
from harness.reporting.stats import Summary

ENOUGH = 3
"""Labels of one method from which on they are an ablation."""

Options = dict[str, str]
"""Option -> its value as printed."""


@dataclass(frozen=True)
class Variants:
    """The cells of one method in one study, its baseline's first."""

    method: str
    baseline: str
    """The label that bears the method's name, else the first one."""
    cells: Sequence[Cell]

    @property
    def pairs(self) -> list[list[Cell]]:
        """Its cells pair by pair: presets may set other options for another pair."""
        return list(by_pair(self.cells).values())

    def to_baseline(self, cell: Cell) -> Summary:
        """The last epoch minus the baseline's on the same pair at the same scale, seed by seed."""
        return difference(cell, self.baseline, self.cells, "final")


def groups(cells: Sequence[Cell]) -> list[Variants]:
    """The methods of a study with at least ``ENOUGH`` labels that differ in some option."""
    methods: dict[str, list[Cell]] = {}
    for cell in cells:
        methods.setdefault(cell.method, []).append(cell)
    found = [_variants(method, own) for method, own in methods.items() if len(labels(own)) >= ENOUGH]
    return [group for group in found if any(differing(pair) for pair in group.pairs)]


def differing(cells: Sequence[Cell]) -> list[str]:
    """The options in which the labels among the cells of one pair differ, in alphabetical order."""
    known = [own for own in by_label(cells).values() if own]
    names = sorted({name for own in known for name in own})
    return [name for name in names if len({own.get(name, text.NOTHING) for own in known}) > 1]


def by_label(cells: Sequence[Cell]) -> dict[str, Options]:
    """Label -> its options, from the manifests; several values where its runs differ, none without manifests."""
    return {name: _options([cell for cell in cells if cell.label == name]) for name in labels(cells)}


def _variants(method: str, cells: Sequence[Cell]) -> Variants:
    names = labels(cells)
    baseline = method if method in names else names[0]
    return Variants(method, baseline, sorted(cells, key=lambda cell: cell.label != baseline))


def _options(cells: Sequence[Cell]) -> Options:
    values: dict[str, dict[str, None]] = {}
    for config in {run["config"]: None for cell in cells for run in cell.runs if run["config"]}:
        for name, value in json.loads(config).items():
            values.setdefault(name, {})[_print(value)] = None
    return {name: " / ".join(found) for name, found in values.items()}


def _print(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
