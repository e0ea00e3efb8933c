"""Labels of a study that run one method with different options, and which of them is the one to compare with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.reporting import text
from harness.reporting.quantities import FINAL
from harness.reporting.rows import Row, by_pair, difference, labels
from harness.reporting.stats import Summary

ENOUGH = 3
"""Labels of one method from which on they are an ablation."""

Options = dict[str, str]
"""Option -> its value as printed."""


@dataclass(frozen=True)
class Variants:
    """The rows of one method in one study, its baseline's first."""

    method: str
    baseline: str
    """The label that bears the method's name, else the first one."""
    rows: Sequence[Row]

    @property
    def title(self) -> str:
        """What the baseline is called in print."""
        return self.rows[0].title

    @property
    def pairs(self) -> list[list[Row]]:
        """Its rows pair by pair: presets may set other options for another pair."""
        return by_pair(self.rows)

    def to_baseline(self, row: Row) -> Summary:
        """The last epoch minus the baseline's on the same pair at the same scale, seed by seed."""
        return difference(row, self.baseline, self.rows, FINAL)


def groups(rows: Sequence[Row]) -> list[Variants]:
    """The methods of a study with at least ``ENOUGH`` labels that differ in some option."""
    methods: dict[str, list[Row]] = {}
    for row in rows:
        methods.setdefault(row.method, []).append(row)
    found = [_variants(method, own) for method, own in methods.items() if len(labels(own)) >= ENOUGH]
    return [group for group in found if any(differing(pair) for pair in group.pairs)]


def differing(rows: Sequence[Row]) -> list[str]:
    """The options in which the labels among the rows of one pair differ, in alphabetical order."""
    known = [own for own in options(rows).values() if own]
    names = sorted({name for own in known for name in own})
    return [name for name in names if len({own.get(name, text.NOTHING) for own in known}) > 1]


def options(rows: Sequence[Row]) -> dict[str, Options]:
    """Label -> its options, from the manifests; several values where its runs differ, none without manifests."""
    return {label: _options([row for row in rows if row.label == label]) for label in labels(rows)}


def _variants(method: str, rows: Sequence[Row]) -> Variants:
    names = labels(rows)
    baseline = method if method in names else names[0]
    return Variants(method, baseline, sorted(rows, key=lambda row: row.label != baseline))


def _options(rows: Sequence[Row]) -> Options:
    # A dictionary without values is a set in order: values stand as the runs have them, first seed first.
    values: dict[str, dict[str, None]] = {}
    for run in (run for row in rows for run in row.recorded):
        for name, value in run.config.items():
            values.setdefault(name, {})[_print(value)] = None
    return {name: " / ".join(found) for name, found in values.items()}


def _print(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else value if isinstance(value, str) else json.dumps(value)
