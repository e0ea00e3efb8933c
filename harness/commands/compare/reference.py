"""`dkd compare reference`: whether cells of one's own are within what committed records of the same row let expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, stdev

from harness.commands.compare.sides import Side, Version, differing, side
from harness.commands.compare.within import Interval, further
from harness.commands.output import Line, columns
from harness.errors import UserError
from harness.reporting import speed, text
from harness.store.layout import CellName, Results
from harness.wording import count

SHOWN = 5
"""Rows that are named to somebody who has none of them."""


@dataclass(frozen=True)
class Cell:
    """A finished cell of one's own, and what is committed of its row."""

    own: Version
    committed: Sequence[Version]
    """One per seed that is done, at least one."""
    place: Path
    """The results folder that they are in: one per device."""
    among: int = 1
    """How many cells are held against the records of that place at once."""

    @property
    def expected(self) -> Interval | None:
        """Where the accuracy of a further seed lies; None where one seed does not say."""
        return further(_finals(self.committed), self.among)

    @property
    def beyond(self) -> bool:
        """Whether it is not as expected: a run that did not come to its end never is."""
        final, expected = self.own.result.final, self.expected
        return final is None or (expected is not None and final not in expected)


def cells(results: Path, repository: Path) -> tuple[list[Cell], list[str]]:
    """Every finished cell under ``results`` whose row has committed records, once per device of theirs.

    And what could not be read of either.

    Args:
        results: one's own results.
        repository: the results folder in which the committed records stand.

    Raises UserError if there are no such cells.
    """
    committed = {place.path: side(str(place.path), results) for place in Results(repository).references()}
    there = {place: _rows(records) for place, records in committed.items()}
    mine = side(str(results), results)
    found = [
        Cell(version, rows[row], place)
        for place, rows in there.items()
        for name, version in mine.runs.items()
        if (row := CellName.parse(name).row) in rows
    ]
    if not found:
        raise _nothing(mine, sorted({row for rows in there.values() for row in rows}), repository)
    known = Counter(cell.place for cell in found if cell.expected)
    found = [replace(cell, among=max(1, known[cell.place])) for cell in found]
    return found, [problem for one in (mine, *committed.values()) for problem in one.problems]


def table(cells: Sequence[Cell], problems: Sequence[str]) -> Iterator[Line]:
    """For every cell: its accuracy, what was to be expected, what it cost, and what differs; the totals last."""
    for place in dict.fromkeys(cell.place for cell in cells):
        own = [cell for cell in cells if cell.place == place]
        yield f"committed records: {place}"
        for cell in own:
            yield cell.own.result.cell
            yield columns(_facts(cell), indent=2)
        judged = [cell for cell in own if cell.beyond or cell.expected]
        if judged:
            within = sum(not cell.beyond for cell in judged)
            yield f"{within} of {count(len(judged), 'cell')} as expected; by chance alone all are, 19 times in 20"
    yield from problems


def _rows(committed: Side) -> dict[str, list[Version]]:
    """Row -> what is done of it, in the order of the seeds."""
    rows: dict[str, list[Version]] = {}
    for name, version in sorted(committed.runs.items(), key=lambda item: item[1].result.seed):
        if version.result.status == "done":
            rows.setdefault(CellName.parse(name).row, []).append(version)
    return rows


def _facts(cell: Cell) -> Iterator[tuple[str, str]]:
    """A word and what it stands for."""
    result = cell.own.result
    if result.final is None:
        yield "expected", f"NOT: {result.status}: {result.reason}"
    else:
        yield "accuracy", _accuracy(result.final, cell.committed)
        yield "expected", _expected(result.final, cell.expected)
        yield "cost", _cost(cell.own, cell.committed)
    # Of the same seed, if there is one: then what differs is not the seed.
    like = next((other for other in cell.committed if other.result.seed == result.seed), cell.committed[0])
    yield from (("differs", what) for what in differing(like, cell.own) or ["nothing that is recorded"])


def _accuracy(final: float, committed: Sequence[Version]) -> str:
    there = _finals(committed)
    spread = f" ± {stdev(there):.2f}" if len(there) > 1 else ""
    seeds = ", ".join(str(version.result.seed) for version in committed)
    return (
        f"{final:.2f} % {committed[0].result.metric}; committed {mean(there):.2f}{spread} "
        f"(n = {len(there)}, seeds {seeds}), Δ {text.signed(final - mean(there))}"
    )


def _expected(final: float, expected: Interval | None) -> str:
    if expected is None:
        return "not known: one seed does not say what seeds differ by"
    return f"{'within' if final in expected else 'NOT within'} {expected}, where a further seed is expected"


def _cost(own: Version, committed: Sequence[Version]) -> str:
    result, others = own.result, [version.result for version in committed]
    spent, there = result.cost.end_to_end, mean(other.cost.end_to_end for other in others)
    same = {other.clock for other in others} == {result.clock}
    ratio = f", × {spent / there:.2f}{_as_fast(own, committed)}" if same and there else ""
    overloaded = "; your machine was overloaded" if result.overloaded else ""
    return f"{spent:.1f} {result.clock}; committed {there:.1f} {others[0].clock}{ratio}{overloaded}"


def _as_fast(own: Version, committed: Sequence[Version]) -> str:
    """The ratio of costs in evaluations of each run, where all of them tell."""
    costs = [speed.in_evaluations(each.result, each.manifest.config) for each in (own, *committed) if each.manifest]
    told = [cost for cost in costs if cost]
    if len(told) <= len(committed):
        return ""
    return f" (× {told[0] / mean(told[1:]):.2f} on an equally fast machine)"


def _finals(versions: Sequence[Version]) -> list[float]:
    return [version.result.final or 0.0 for version in versions]


def _nothing(mine: Side, rows: Sequence[str], repository: Path) -> UserError:
    if not rows:
        return UserError(f"{repository}: no committed records in it yet")
    more = f"\n  and {len(rows) - SHOWN} more" if len(rows) > SHOWN else ""
    named = "".join(f"\n  {row}" for row in rows[:SHOWN])
    return UserError(
        f"none of the {len(mine.runs)} finished cells under {mine.name} has committed records; these rows have:{named}"
        f"{more}\n  `dkd run ROW/seed-0` makes a cell of one"
    )
