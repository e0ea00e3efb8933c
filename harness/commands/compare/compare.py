"""`dkd compare`: what its arguments mean, and the comparison that they ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness import ROOT
from harness.commands.compare import methods, reference, sides, versions
from harness.commands.output import Line
from harness.errors import UserError, suggest
from harness.store import place
from harness.store.layout import Results

REFERENCE = "reference"
"""What stands for the committed records."""
BENCH = ROOT / "results"
"""The results folder of the bench itself, which holds them."""


@dataclass(frozen=True)
class Comparison:
    """What a comparison says."""

    lines: Iterable[Line]
    as_expected: bool = True
    """False where a cell is beyond what the committed records let expect."""


def compare(a: str, b: str | None, results: Path, repository: Path | None = None) -> Comparison:
    """Compare two labels, or two versions; or, of ``reference`` alone, all that is finished with committed records.

    Args:
        a: a label, a results folder or a study's in it, a records.jsonl, a key or a commit; or `REFERENCE`.
        b: what it is compared with, of the same kind.
        results: where labels, keys and commits are looked for.
        repository: results folder that holds the committed records; `BENCH` if None.

    Raises UserError.
    """
    if b is None:
        if a != REFERENCE:
            raise UserError(f"{a}: compared with what? Give two labels, two versions, or `{REFERENCE}` alone")
        cells, problems = reference.cells(results, repository or BENCH)
        return Comparison(reference.table(cells, problems), not any(cell.beyond for cell in cells))
    if REFERENCE in (a, b) and not place.path(REFERENCE).exists():
        raise UserError(f"`{REFERENCE}` stands alone: dkd compare {REFERENCE}")
    labels = {cell.name.label for cell in Results(results).finished()}
    if not {a, b} & labels:
        return Comparison(versions.table(sides.side(a, results), sides.side(b, results)))
    for text in (a, b):
        if text not in labels:
            raise UserError(f"{text}: no finished run under {results} has this label{suggest(text, sorted(labels))}")
    return Comparison(methods.table(a, b, results))
