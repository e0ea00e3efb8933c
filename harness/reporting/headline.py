"""What is said of each board: who leads, by how much, from whom it is not told apart, at which cost, beside what."""

from __future__ import annotations

from collections.abc import Sequence

from harness.reporting import text
from harness.reporting.leaderboard import Board, Standing

NAMED = 3
"""Names at most of methods that are not told apart."""


def headline(board: Board) -> str:
    """The sentence of a board."""
    ranked = [each for each in board.methods if each.accuracy.n]
    lacking = len(board.methods) - len(ranked)
    without = f"{lacking} of {len(board.methods)} methods have no result" if lacking else ""
    if not ranked:
        return f"{without}." if without else "There are no methods here, only references."
    leader = ranked[0]
    tied = [each for each in ranked[1:] if each.place.verdict == "tied" and each.place.rank == leader.place.rank]
    claim = _tied(leader, tied, ranked[1:]) if tied else _alone(leader, ranked[1:])
    said = [f"{claim}, at {_cost(leader, board)}", *_cheapest(leader, tied, board)]
    said += [] if leader.above_noise else ["chance or noise alone reaches that"]
    said += _higher(leader, ranked[1:])
    return "; ".join([*said, without] if without else said) + "."


def yardsticks(board: Board) -> str:
    """What a board's accuracies are to be held against, between the teacher's and what noise alone gives."""
    known = [f"{each.title} {text.percent(each.accuracy)}" for each in board.references if each.accuracy.n]
    return ", ".join([f"teacher {text.values(board.teachers)}", *known])


def _alone(leader: Standing, others: Sequence[Standing]) -> str:
    """Whom the leader is ahead of, if a test says so."""
    behind = next(((each, each.place.test) for each in others if each.place.test), None)
    if behind:
        second, test = behind
        over = f"over {text.sides(test.n)} seeds, {text.chance(test.p)}"
        ahead = f"{-test.mean:.2f} points ahead of {second.title} ({over})"
        return f"{leader.title} leads with {_accuracy(leader)}, {ahead}"
    if others:
        return f"{_highest(leader, others)}, not tested for want of seeds"
    return f"{leader.title} is the only method with a result, {_accuracy(leader)}"


def _tied(leader: Standing, tied: Sequence[Standing], others: Sequence[Standing]) -> str:
    """With whom the leader shares its rank, and how little tells them apart."""
    tests = [each.place.test for each in tied if each.place.test]
    least = min(tests, key=lambda test: test.p)
    ahead = max(-test.mean for test in tests)
    most, more = ("at most ", " or more") if len(tests) > 1 else ("", "")
    told = f"{most}{ahead:.2f} points ahead, not significant: {text.chance(least.p)}{more}"
    return f"{_highest(leader, others)}, not told apart from {_names(tied)} ({told})"


def _highest(leader: Standing, others: Sequence[Standing]) -> str:
    """That it has the highest mean, where it has one; beside means a higher value of a single seed does not count."""
    if leader.accuracy.n == 1:
        return f"{leader.title} has the highest accuracy, {_accuracy(leader)} of a single seed"
    higher = any((each.accuracy.mean or 0.0) > (leader.accuracy.mean or 0.0) for each in others)
    of = " of the methods with two seeds or more" if higher else ""
    return f"{leader.title} has the highest mean{of}, {_accuracy(leader)}"


def _higher(leader: Standing, others: Sequence[Standing]) -> list[str]:
    """Who would lead if a test could say so."""
    above = [each for each in others if (each.accuracy.mean or 0.0) > (leader.accuracy.mean or 0.0)]
    found = [f"{each.title} {text.percent(each.accuracy)} %" for each in above]
    return [f"higher so far, but not tested for want of seeds: {', '.join(found)}"] if found else []


def _names(tied: Sequence[Standing]) -> str:
    names = [each.title for each in tied]
    if len(names) > NAMED:
        names = [*names[: NAMED - 1], f"{len(names) - NAMED + 1} more"]
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])


def _cheapest(leader: Standing, tied: Sequence[Standing], board: Board) -> list[str]:
    """Who among the tied costs least, if it is not the leader."""
    first = min([leader, *tied], key=lambda each: each.cost.mean or 0.0)
    return [] if first is leader else [f"of these {first.title} costs least, {_cost(first, board)}"]


def _cost(standing: Standing, board: Board) -> str:
    times = f", {text.number(standing.times)} times the cheapest" if standing.times and standing.times > 1 else ""
    busy = " on an overloaded machine" if standing.overloaded else ""
    return f"{text.measured(standing.cost)} {board.unit.name}{busy}{times}"


def _accuracy(standing: Standing) -> str:
    return f"{text.percent(standing.accuracy)} %{text.share(standing.accuracy)}"
