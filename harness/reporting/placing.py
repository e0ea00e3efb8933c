"""The order of methods: by mean accuracy, and in one rank what a test over the seeds cannot tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from harness.reporting import front, text
from harness.reporting.quantities import FINAL
from harness.reporting.rows import Row, natural
from harness.reporting.stats import TTest, welch

Verdict = Literal["leads", "tied", "behind", "not tested", "no result", "reference"]


@dataclass(frozen=True)
class Place:
    """Where a row stands among the methods of its board, and why."""

    verdict: Verdict
    """``leads``: the highest mean. ``tied``: no worse than the first of its rank, as far as its seeds tell. ``behind``:
    less accurate than the first of the rank above. ``not tested``: fewer than two seeds of it, or of all others."""
    rank: int | None = None
    """One more than the number of methods in the ranks above; None where nothing decides it."""
    shared: bool = False
    """Whether others have the same rank."""
    test: TTest | None = None
    """Its accuracy less that of ``against``, by Welch's test."""
    against: str = ""
    """What it was tested against, as printed: the first of its own rank, or of the one above."""

    @property
    def mark(self) -> str:
        """The rank as printed: ``2``, ``2=`` where it is shared; in words where there is none."""
        if self.rank is None:
            return text.NOTHING if self.verdict in ("no result", "reference") else "not tested"
        return f"{self.rank}{'=' * self.shared}"

    @property
    def why(self) -> str:
        """What the test says, in words; empty for the leader and for what has no result."""
        if self.verdict == "not tested":
            return f"fewer than two seeds of it, or of {self.against}"
        if self.test is None:
            return ""
        low, mean, high = map(text.signed, (self.test.low, self.test.mean, self.test.high))
        over = f"against {self.against} over {text.sides(self.test.n)} seeds"
        return f"{mean} points ({low} to {high}), {text.chance(self.test.p)}, {over}"


NO_RESULT = Place("no result")
REFERENCE = Place("reference")


def placed(rows: Sequence[Row]) -> list[tuple[Row, Place]]:
    """The methods of one board in their order, each with its place.

    Whoever is first of a rank stands for it: the rows below, in order of their means, share its rank until one is
    less accurate by Welch's test over seeds (p < 0.05, not corrected for the number of rows), which then is the
    first of the next rank. A row with one seed cannot be tested, so its mean, however high, moves no other row: such
    rows follow those with more, and rows without a result come last. Where nothing could be tested nobody has a rank.
    """
    found: list[tuple[Row, Place]] = []
    head: tuple[Row, Place] | None = None
    for position, row in enumerate(sorted(rows, key=_order), 1):
        place = _place(row, position, head)
        if place.verdict in ("leads", "behind"):
            head = row, place
        found.append((row, place))
    if any(place.verdict == "not tested" for _, place in found) and not any(place.test for _, place in found):
        found[0] = (found[0][0], Place("leads"))
    members = Counter(place.rank for _, place in found)
    return [(row, replace(place, shared=place.rank is not None and members[place.rank] > 1)) for row, place in found]


def _order(row: Row) -> tuple[bool, bool, float, list[tuple[int, str]]]:
    accuracy = row.summary(FINAL)
    return accuracy.mean is None, accuracy.n < 2, -(accuracy.mean or 0.0), natural(row.label)


def _place(row: Row, position: int, head: tuple[Row, Place] | None) -> Place:
    if row.summary(FINAL).mean is None:
        return NO_RESULT
    if head is None:
        return Place("leads", position)
    first, place = head
    test = welch(row.values(FINAL), first.values(FINAL))
    if test is None:
        return Place("not tested", against=first.title)
    if test.differs:
        return Place("behind", position, test=test, against=first.title)
    return Place("tied", place.rank, test=test, against=first.title)


def leaders(rows: Sequence[Row]) -> set[str]:
    """Names of the methods of one pair at one scale that share the first rank, unless chance or noise reaches theirs.

    None where nothing could be tested.
    """
    floor = front.floor(rows)
    found = placed([row for row in rows if not row.reference])
    return {row.name for row, place in found if place.rank == 1 and front.exceeds(row, floor)}
