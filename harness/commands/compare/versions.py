"""`dkd compare A B`: two versions of the same cells, paired by seed. Reads records alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from statistics import mean, stdev

from harness.commands.compare import within
from harness.commands.compare.sides import Side, Version, differing
from harness.commands.output import Line, columns
from harness.reporting import text
from harness.store.layout import CellName
from harness.store.records import Metrics
from harness.wording import count

Paired = list[tuple[Version, Version]]
"""Two runs of the same cell each."""
SHOWN = 5
"""Rows of one side alone that are named."""
Done = list[tuple[Metrics, Metrics]]
"""The results of those where both have one."""


def table(a: Side, b: Side) -> Iterator[Line]:
    """For every row that both have: accuracy and time of both sides, and what differs between them."""
    pairs = _pairs(a, b)
    groups: dict[str, Paired] = {}
    for before, after in pairs:
        groups.setdefault(_row(before), []).append((before, after))
    seeds = _finals_by_row(a), _finals_by_row(b)
    verdicts = {
        name: within.judge(seeds[0][_row(group[0][0])], seeds[1][_row(group[0][1])]) for name, group in groups.items()
    }
    found = {name: _differing(group) for name, group in groups.items()}
    common = _in_all(list(found.values())) if len(groups) > 1 else []
    yield f"A = {a.name}, B = {b.name}: {count(len(pairs), 'run')} in both"
    yield from (f"differs in every row: {what}" for what in common)
    for name, group in groups.items():
        yield name
        own = [what for what in found[name] if what not in common]
        yield columns([*_group(group, verdicts[name]), *(("differs", what) for what in own)], indent=2)
    paired = {version.result.cell for pair in pairs for version in pair}
    for letter, one in (("A", a), ("B", b)):
        yield from (f"only in {letter}: {row}" for row in _rows(one.runs.keys() - paired))
        yield from one.problems
    judged = [verdict for verdict in verdicts.values() if verdict]
    if judged:
        yield f"{sum(verdict.within for verdict in judged)} of {count(len(judged), 'row')} within what seeds differ by"


def _rows(cells: Set[str]) -> Iterator[str]:
    """Rows with their seeds: the first ones, and how many more."""
    seeds: dict[str, list[int]] = {}
    for cell in sorted(map(CellName.parse, cells), key=lambda cell: (cell.row, cell.seed)):
        seeds.setdefault(cell.row, []).append(cell.seed)
    yield from (f"{row}, {text.seeds(own)}" for row, own in [*seeds.items()][:SHOWN])
    if (more := len(seeds) - SHOWN) > 0:
        yield count(more, "more row")


def _pairs(a: Side, b: Side) -> Paired:
    """Runs of the same cell and seed; two single runs, and two single studies, are compared whatever they are."""
    if len(a.runs) == len(b.runs) == 1:
        return list(zip(a.runs.values(), b.runs.values(), strict=True))
    renamed = b.studies.pop() if len(a.studies) == len(b.studies) == 1 else None
    pairs = ((a.runs[cell], b.runs.get(_in_study(cell, renamed))) for cell in sorted(a.runs))
    return [(before, after) for before, after in pairs if after]


def _in_study(cell: str, study: str | None) -> str:
    """The cell of this name in another study; itself if there is none."""
    return str(replace(CellName.parse(cell), study=study)) if study else cell


def _row(version: Version) -> str:
    return CellName.parse(version.result.cell).row


def _finals_by_row(side: Side) -> dict[str, list[float]]:
    """Of all seeds that are done: a row's verdict need not be of those alone that both sides have."""
    rows: dict[str, list[float]] = defaultdict(list)
    for version in side.runs.values():
        if version.result.status == "done":
            rows[_row(version)].append(version.result.final or 0.0)
    return rows


def _group(pairs: Paired, verdict: within.Verdict | None) -> Iterator[tuple[str, str]]:
    """What is said of one row: a word and what it stands for."""
    both = _done(pairs)
    for before, after in pairs:
        for letter, result in (("A", before.result), ("B", after.result)):
            if result.status != "done":
                yield "left out", f"seed {result.seed}: {result.status} in {letter}: {result.reason}"
    if both:
        yield "accuracy", _accuracy(both)
        yield "expected", f"{verdict}{_of_all(verdict, both)}" if verdict else "one seed does not say"
        yield "cost", _cost(both)


def _of_all(verdict: within.Verdict, both: Done) -> str:
    """What was judged, where a side has further seeds."""
    more = max(verdict.n) > len(both)
    return f" (Δ {text.signed(verdict.difference)} of all seeds, n = {text.sides(verdict.n)})" if more else ""


def _differing(pairs: Paired) -> list[str]:
    """What differs in any pair of a row."""
    return list(dict.fromkeys(what for pair in pairs for what in differing(*pair))) or ["nothing that is recorded"]


def _in_all(rows: Sequence[Sequence[str]]) -> list[str]:
    """What is said of every row alike."""
    return [what for what in rows[0] if all(what in row for row in rows)]


def _done(pairs: Paired) -> Done:
    return [(x.result, y.result) for x, y in pairs if x.result.status == y.result.status == "done"]


def _finals(both: Done) -> tuple[list[float], list[float]]:
    return [x.final or 0.0 for x, _ in both], [y.final or 0.0 for _, y in both]


def _accuracy(both: Done) -> str:
    before, after = _finals(both)
    deltas = [y - x for x, y in zip(before, after, strict=True)]
    spread = f" ± {stdev(deltas):.2f}" if len(deltas) > 1 else ""
    seeds = ", ".join(str(result.seed) for result, _ in both)
    return (
        f"{mean(before):.2f} → {mean(after):.2f} % {both[0][0].metric}, Δ {text.signed(mean(deltas))}{spread} "
        f"(n = {len(deltas)}, seeds {seeds})"
    )


def _cost(both: Done) -> str:
    before, after = (mean(result.cost.end_to_end for result in results) for results in zip(*both, strict=True))
    units = dict.fromkeys(result.clock for pair in both for result in pair)
    ratio = f", × {after / before:.2f}" if before and len(units) == 1 else ""
    overloaded = sum(result.overloaded for pair in both for result in pair)
    note = f"; {overloaded} of these runs on an overloaded machine" if overloaded else ""
    return f"{before:.1f} → {after:.1f} {' → '.join(units)}{ratio}{note}"
