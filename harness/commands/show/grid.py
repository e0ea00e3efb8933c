"""A grid: what it is for, and what its cells are. Never imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.commands.output import Line, columns
from harness.commands.show import names, words
from harness.grid.grid import load_grid
from harness.grid.study import Study
from harness.store.layout import scale_text


def describe(file: Path) -> Iterator[Line]:
    """All about the grid of a file. Raises ConfigError."""
    grid = load_grid(file)
    yield f"grid {file}"
    yield columns([("what", names.comment(file) or "no comment says it"), ("cells", f"{len(grid.cells):,}")], indent=2)
    for study in grid.studies:
        yield f"study {study.study}"
        yield columns(_facts(study), indent=2)
        yield columns(((name, _label(study, name)) for name in study.methods), indent=4)


def _facts(study: Study) -> Iterator[tuple[str, str]]:
    yield "datasets", ", ".join(map(str, study.datasets))
    yield "pairs", ", ".join(str(asked.pair) for asked in study.pairs)
    yield "scales", ", ".join(f"{scale_text(scale)} %" for scale in study.scales)
    yield "seeds", ", ".join(map(str, study.seeds))
    yield "cells", f"{study.size:,}"
    yield "precision", study.precision
    yield "budget", words.options(study.budget.options) or "none: every method has its own"
    if study.recipe:
        yield "recipe", words.options(study.recipe)
    yield "labels", f"{len(study.methods)}; `dkd show LABEL --configfile FILE` resolves one"


def _label(study: Study, name: str) -> str:
    label = study.methods[name]
    said = {"method": label.method or name, "preset": label.preset, **label.options}
    return words.options({key: value for key, value in said.items() if key != "preset" or value})
