"""The table over pairs: mean ranks with their intervals, and performance profiles at a few places."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting.profiles import Profile, Profiles, profiles
from harness.reporting.rows import Row
from harness.reporting.tables import notes, remarks
from harness.reporting.tables.csv import written
from harness.reporting.tables.table import Block, Column, Entry, Line, Table
from harness.store.layout import scale_text

RATIOS = (1.0, 2.0, 5.0, 10.0)
"""Times the cheapest method's cost."""
POINTS = (0.0, 1.0, 2.0, 5.0)
"""Below the most accurate method."""
SAID = (
    "Mean rank by accuracy over the pairs, 1 is best; in brackets its 95 % interval over pairs (Student). Methods that "
    "the study has on all pairs.",
    "Profiles: on how many percent of the pairs a method costs at most so many times what the cheapest one costs, and "
    "is at most so many points below the most accurate one. A student that is no better than one of noise is within no "
    "cost.",
)


def tables(rows: Sequence[Row], odd: remarks.Odd) -> list[Table]:
    """One table, where a study has three pairs or more at a data scale."""
    found = profiles(rows)
    if not found:
        return []
    lacking = [_lacking(each) for each in found if each.unfinished]
    said = (*SAID, *lacking, *notes.left_out(rows), *notes.provenance(rows))
    lines = [_numbers(each, method) for each in found for method in each.methods]
    return [Table("profiles", "Over pairs", tuple(map(_block, found)), {}, said, written(lines))]


def _lacking(found: Profiles) -> str:
    pairs = "1 pair is" if found.unfinished == 1 else f"{found.unfinished} pairs are"
    return f"At {scale_text(found.scale)} %, {pairs} left out, where a method waits for a result."


def _block(found: Profiles) -> Block:
    heads = (
        Column(Entry(""), (Entry("mean rank"),)),
        Column(Entry("cost within, % of pairs"), tuple(Entry(f"{ratio:g} ×") for ratio in RATIOS)),
        Column(Entry("accuracy within, % of pairs"), tuple(Entry(f"{points:g} points") for points in POINTS)),
    )
    return Block(f"{found.pairs} pairs, {scale_text(found.scale)} % data", heads, tuple(map(_line, found.methods)))


def _line(method: Profile) -> Line:
    rank = Entry(f"{method.rank:.2f} [{method.low:.2f}, {method.high:.2f}]")
    shares = [*map(method.within_ratio, RATIOS), *map(method.within_points, POINTS)]
    return Line(Entry(method.title), (rank, *(Entry(f"{100 * share:.0f}") for share in shares)))


def _numbers(found: Profiles, method: Profile) -> dict[str, str]:
    ratios = {f"cost_within_{ratio:g}": method.within_ratio(ratio) for ratio in RATIOS}
    points = {f"accuracy_within_{place:g}": method.within_points(place) for place in POINTS}
    numbers = {"mean_rank": method.rank, "rank_low": method.low, "rank_high": method.high, **ratios, **points}
    about = {"label": method.label, "scale": scale_text(found.scale), "pairs": str(found.pairs)}
    return about | {name: f"{value:.10g}" for name, value in numbers.items()}
