"""All runs of a setting as the page shows them: the seeds of a row side by side, what all rows share said once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.reporting import quantities as q
from harness.reporting.page.trails import trail
from harness.reporting.page.values import FACTS, Of, Value, apart, fact, facts, numbers, state
from harness.reporting.rows import Row, metric
from harness.reporting.runs import RecordedRun, Run
from harness.reporting.settings import Setting
from harness.reporting.tables import remarks


@dataclass(frozen=True)
class Line:
    """A quantity, or a fact, seed by seed."""

    name: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Listing:
    """A row and its runs."""

    name: str
    label: str
    title: str
    """The label as printed."""
    about: str
    """Its preset, why its values are not published ones, if they are not, and its prior if any."""
    chosen: str
    """What the study sets over its preset, as far as not all rows have it."""
    config: str
    """All other values that its seeds share and not all rows do, as JSON; empty if there are none."""
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Runs:
    """All runs of a setting."""

    seeds: tuple[int, ...]
    shared: tuple[tuple[str, str], ...]
    """What is equal in all of them: name and value."""
    listings: tuple[Listing, ...]


def runs(setting: Setting, folder: Path) -> Runs:
    """The runs of a setting, on a page that will lie in ``folder``."""
    recorded = [run for row in setting.rows for run in row.recorded]
    seeds = sorted({run.name.seed for row in setting.rows for run in row.runs})
    config, known = _common([run.config for run in recorded]), _common([facts(run) for run in recorded])
    options = [("options", _options(config))] if config and len(setting.rows) > 1 else []
    context = _Context(tuple(seeds), config if options else {}, known, folder)
    return Runs(context.seeds, (*known.items(), *options), tuple(map(context.listing, setting.rows)))


@dataclass(frozen=True)
class _Context:
    """What the rows of a setting need to know of each other."""

    seeds: tuple[int, ...]
    config: Mapping[str, Any]
    """What all have."""
    facts: Mapping[str, str]
    folder: Path

    def listing(self, row: Row) -> Listing:
        """A row's runs."""
        own = _common([run.config for run in row.recorded])
        chosen = {name: value for name, value in _chosen(row).items() if name not in self.config}
        rest = {name: value for name, value in own.items() if name not in {*self.config, *chosen}}
        config = json.dumps(rest, sort_keys=True) if rest else ""
        return Listing(row.name, row.label, row.title, _about(row), _options(chosen), config, self._lines(row, own))

    def _lines(self, row: Row, config: Mapping[str, Any]) -> tuple[Line, ...]:
        lines = [
            self._line("run", row, lambda run: Value("", links=trail(run, self.folder))),
            self._line("state", row, state),
            self._line(f"last epoch, {metric([row])}", row, numbers(q.FINAL, form=".2f", odd=apart(row, q.FINAL))),
            self._line("best epoch", row, numbers(q.BEST, form=".2f")),
            self._line("cost (s)", row, numbers(q.COST, odd=apart(row, q.COST))),
            self._line("start-up + synthesis + distillation", row, numbers(*q.PHASES, between=" + ")),
            self._line("wall, CPU (s)", row, numbers(q.WALL, q.CPU)),
            self._line("evaluation, waiting, lost (s)", row, numbers(*q.BESIDES)),
            *(self._line(name, row, fact(name)) for name in FACTS if name not in self.facts),
            self._line("own options", row, lambda run: Value(_own(run, config))),
        ]
        return tuple(line for line in lines if any(value.text or value.links for value in line.values))

    def _line(self, name: str, row: Row, of: Of) -> Line:
        by_seed = {run.name.seed: run for run in row.runs}
        return Line(name, tuple(of(by_seed[seed]) if seed in by_seed else Value("") for seed in self.seeds))


def _common(known: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The entries that all have alike; none where nothing is known."""
    first = known[0] if known else {}
    return {
        name: value for name, value in first.items() if all(name in other and other[name] == value for other in known)
    }


def _chosen(row: Row) -> dict[str, Any]:
    """What the study set for the row's runs, as far as the records tell."""
    return _common([run.manifest.chosen or {} for run in row.recorded])


def _own(run: Run, config: Mapping[str, Any]) -> str:
    """The part of a run's configuration that other seeds do not share; mostly empty."""
    own = run.config if isinstance(run, RecordedRun) else {}
    return _options({name: value for name, value in own.items() if name not in config})


def _options(config: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {json.dumps(value)}" for name, value in sorted(config.items()))


def _about(row: Row) -> str:
    names = dict.fromkeys(run.metrics.preset for run in row.recorded if run.metrics.preset)
    return "; ".join([*(f"preset {name}" for name in names), *remarks.preset_notes(row), *remarks.priors(row)])
