"""Boards of made-up rows, whose places are told by another calculation."""

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import ttest_ind

from harness.reporting.headline import headline, yardsticks
from harness.reporting.leaderboard import Board, Standing, board
from harness.reporting.placing import Place, placed
from harness.reporting.rows import Row
from harness.reporting.runs import RecordedRun, Run, WaitingRun
from harness.reporting.settings import parts, settings
from harness.store.layout import CellFolder, CellName
from harness.store.records import Seconds
from tests import factory


def row(label: str, finals: Sequence[float | None], cost: float = 1.0, **changes: Any) -> Row:
    """A row of these seeds; None waits."""
    runs: list[Run] = []
    for seed, final in enumerate(finals):
        seconds = Seconds(startup=0.0, synthesis=0.0, distillation=cost, evaluation=0.0)
        result = factory.metrics(label, seed=seed, **({"final": final or 0.0, "seconds": seconds} | changes))
        name, folder = CellName.parse(result.cell), CellFolder(Path(result.cell))
        done = RecordedRun(name, len(finals), folder.run(result.key), result, factory.manifest(result), None)
        runs.append(WaitingRun(name, len(finals), folder, label) if final is None else done)
    return Row(tuple(runs))


def of(*rows: Row) -> Board:
    (setting,) = settings(rows)
    return board(setting)


def places(*rows: Row) -> dict[str, Place]:
    return {own.label: place for own, place in placed(rows)}


def standing(label: str, *rows: Row) -> Standing:
    found = of(*rows)
    return next(each for each in (*found.methods, *found.references) if each.label == label)


def less(mine: Sequence[float], theirs: Sequence[float]) -> bool:
    """Whether the 95 % interval of the difference of the means lies below 0."""
    return bool(ttest_ind(mine, theirs, equal_var=False).confidence_interval(0.95).high < 0)


def searched(methods: dict[str, list[float]]) -> dict[str, int]:
    """Ranks by their definition: who leads, all that it is not better than with certainty, and so on down."""
    left = sorted(methods, key=lambda name: (-sum(methods[name]), name))
    ranks: dict[str, int] = {}
    while left:
        first = methods[left[0]]
        same = [left[0]]
        while len(same) < len(left) and not less(methods[left[len(same)]], first):
            same.append(left[len(same)])
        ranks |= dict.fromkeys(same, len(ranks) + 1)
        left = left[len(same) :]
    return ranks


@pytest.mark.parametrize("seed", range(40))
def test_ranks_against_a_search(seed: int) -> None:
    draw = random.Random(seed)
    count = draw.randint(2, 4)
    middles = [draw.uniform(40, 90) for _ in range(draw.randint(1, 9))]
    methods = {f"m{i}": [middle + draw.gauss(0, 4) for _ in range(count)] for i, middle in enumerate(middles)}
    found = placed([row(name, finals) for name, finals in methods.items()])
    assert {own.label: place.rank for own, place in found} == searched(methods)
    assert [place.rank for _, place in found] == sorted(place.rank or 0 for _, place in found)


def test_means_alone_decide_no_rank() -> None:
    found = places(row("a", [90.0, 70.0, 80.0]), row("b", [70.0, 80.0, 60.0]), row("c", [9.0, 9.5, 9.2]))
    assert (found["a"].mark, found["b"].mark, found["c"].mark) == ("1=", "1=", "3")
    assert (found["a"].verdict, found["b"].verdict, found["c"].verdict) == ("leads", "tied", "behind")
    assert found["b"].why.startswith("−10.00 points (")
    assert found["b"].why.endswith("against a over 3 seeds")


def test_one_seed_is_not_tested_and_moves_nobody() -> None:
    found = placed(
        [row("lucky", [99.0, None]), row("a", [80.0, 81.0]), row("b", [70.0, 71.0]), row("none", [None] * 2)]
    )
    assert [own.label for own, _ in found] == ["a", "b", "lucky", "none"]
    assert [place.mark for _, place in found] == ["1", "2", "not tested", "–"]
    assert found[2][1].why == "fewer than two seeds of it, or of b"  # the first of the last rank


def test_where_nothing_can_be_tested_nobody_has_a_rank() -> None:
    assert [place.mark for place in places(row("a", [90.0]), row("b", [80.0])).values()] == ["not tested"] * 2
    assert places(row("a", [90.0]), row("b", [None]))["a"].mark == "1"


def test_all_seeds_count_whatever_the_other_has() -> None:
    found = places(row("a", [80.0, 80.0, 99.0]), row("b", [81.0, 81.0, None]))  # 86.3 of three, 81 of two
    assert found["b"].test is not None
    assert found["b"].test.mean == pytest.approx(-16 / 3)
    assert found["b"].mark == "1="
    assert found["b"].why.endswith("against a over 2 and 3 seeds")


def test_gaps_are_paired_by_seed() -> None:
    real = row("kd-real", [95.0, 97.0, 99.0])
    own = standing("a", row("a", [90.0, None, 97.0], teacher_metric=99.5), real)
    assert (own.to_real.mean, own.to_real.sd, own.to_real.n) == (-3.5, pytest.approx(math.sqrt(4.5)), 2)
    assert own.to_teacher.mean == pytest.approx(93.5 - 99.5)
    assert standing("kd-real", real).to_real.mean is None
    assert standing("zero", row("zero", [0.0])).to_teacher.mean == -99.0


def test_costs_are_by_the_cheapest_method_and_not_by_a_reference() -> None:
    rows = [row("a", [90.0] * 2, 300.0), row("b", [80.0] * 2, 600.0), row("scratch", [99.0] * 2, 1.0)]
    assert of(*rows).unit.name == "CPU min"
    assert [standing(name, *rows).times for name in ("a", "b", "scratch")] == [1.0, 2.0, None]
    assert standing("b", *rows).cost.mean == 10.0


def test_what_learned_nothing_is_no_cheapest_method() -> None:
    rows = [row("a", [90.0] * 2, 300.0), row("b", [80.0] * 2, 600.0), row("guess", [10.0, 10.4], 3.0)]
    assert [standing(name, *rows).times for name in ("a", "b", "guess")] == [1.0, 2.0, 0.01]


def test_badges_say_what_a_student_rests_on() -> None:
    assert standing("a", row("a", [90.0])).badges == ("data-free",)
    assert standing("a", row("a", [90.0], prior="label text")).badges == ("label text",)
    assert standing("a", row("a", [None])).badges == ()


def test_what_has_no_result_keeps_its_place() -> None:
    found = of(row("a", [90.0]), row("b", [None]), row("c", [1.0], status="failed", reason="no", final=None))
    assert [each.label for each in found.methods] == ["a", "b", "c"]
    assert [each.state for each in found.methods] == ["", "waiting", "failed"]
    assert (found.methods[2].problems, found.methods[0].problems) == (("seed 0 failed: no",), ())


def test_references_stand_apart_in_the_order_of_tables() -> None:
    found = of(row("scratch", [99.0]), row("kd-real", [98.0]), row("a", [50.0]))
    assert [each.label for each in found.references] == ["scratch", "kd-real"]
    assert {each.place.verdict for each in found.references} == {"reference"}


def test_a_board_for_each_pair_and_scale() -> None:
    def other(label: str, **changes: Any) -> Row:
        cell = "toy/digits/{teacher}--cnn3_16/{label}/scale-{scale:g}/seed-0".format(label=label, **changes)
        return row(label, [90.0], cell=cell, **changes)

    rows = [other("a", teacher=teacher, scale=scale) for teacher in ("t1", "t2") for scale in (10.0, 100.0)]
    assert [(part.anchor, [each.scale for each in part.settings]) for part in parts(rows)] == [
        ("toy/digits/t1--cnn3_16", ["100", "10"]),
        ("toy/digits/t2--cnn3_16", ["100", "10"]),
    ]
    assert parts(rows)[0].settings[1].anchor == "toy/digits/t1--cnn3_16/scale-10"


def test_a_seed_that_noise_reaches_is_not_above_it() -> None:
    """Ten classes: chance is 10 %, and the best seed on noise 30 %."""
    rows = [row("kd-noise", [20.0, 30.0]), row("a", [30.0, 90.0]), row("b", [31.0, 40.0]), row("c", [None, None])]
    assert {each.label: each.above_noise for each in of(*rows).methods} == {"a": False, "b": True, "c": True}
    assert standing("d", row("d", [10.0, 50.0])).above_noise is False


def test_who_leads_by_how_much_and_at_which_cost() -> None:
    said = headline(of(row("a", [90.0, 92.0, 91.0], 60.0), row("b", [80.0, 81.5, 81.0], 20.0)))
    assert said.startswith("a leads with 91.00 ± 1.00 %, 10.17 points ahead of b (over 3 seeds, p < 0.001), at ")
    assert said.endswith("60.0 ± 0.0 CPU s, 3.00 times the cheapest.")


def test_who_may_lead_once_there_are_seeds_enough() -> None:
    said = headline(of(row("a", [50.0, 52.0, 51.0]), row("b", [30.0, 31.5, 31.0]), row("c", [60.0]), row("d", [10.0])))
    assert said.startswith("a leads with 51.00 ± 1.00 %")
    assert said.endswith("; higher so far, but not tested for want of seeds: c 60.00 %.")


def test_with_whom_the_leader_is_tied() -> None:
    tied = [row(name, [70.0, 80.0, 60.0], 20.0) for name in "bcde"]
    said = headline(of(row("a", [90.0, 70.0, 80.0], 60.0), *tied))
    # Variances of 100 on both sides: t = 10 / √(200 / 3) with four degrees of freedom, of which p has a closed form.
    x = 4 / (4 + 100 / (200 / 3))
    p = 1 - math.sqrt(1 - x) * (1 + x / 2)
    told = f"(at most 10.00 points ahead, not significant: p = {p:.2f} or more)"
    assert f"a has the highest mean, 80.00 ± 10.00 %, not told apart from b, c and 2 more {told}, at 60.0" in said
    assert said.endswith("of these b costs least, 20.0 ± 0.0 CPU s.")


def test_accuracies_stand_between_the_teacher_and_what_noise_gives() -> None:
    rows = [row("kd-real", [95.0, 97.0]), row("kd-noise", [20.0, None]), row("scratch", [None]), row("a", [90.0])]
    assert yardsticks(of(*rows)) == "teacher 99.00, KD-real 96.00 ± 1.41, KD-noise 20.00"  # 1 / √2 on either side


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row("a", [90.0])], "a is the only method with a result, 90.00 %, at 1.00 CPU s."),
        (
            [row("a", [30.0]), row("kd-noise", [30.0])],
            "a is the only method with a result, 30.00 %, at 1.00 CPU s; chance or noise alone reaches that.",
        ),
        ([row("a", [None]), row("b", [None])], "2 of 2 methods have no result."),
        ([row("scratch", [90.0])], "There are no methods here, only references."),
        (
            [row("a", [90.0]), row("b", [80.0])],
            "a has the highest accuracy, 90.00 % of a single seed, not tested for want of seeds, at 1.00 CPU s.",
        ),
        (
            [row("a", [90.0, 90.0]), row("b", [99.0, None]), row("c", [None] * 2)],
            "a has the highest mean of the methods with two seeds or more, 90.00 ± 0.00 %, not tested for want of "
            "seeds, at 1.00 ± 0.00 CPU s; higher so far, but not tested for want of seeds: b 99.00 %; 1 of 3 methods "
            "have no result.",
        ),
    ],
)
def test_what_is_said_where_nothing_can_be_tested(rows: list[Row], said: str) -> None:
    assert headline(of(*rows)) == said


def test_the_work_grows_with_the_number_of_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[Row] = []
    done = Row.done.fget
    monkeypatch.setattr(Row, "done", property(lambda self: read.append(self) or done(self)))

    def work(size: int) -> int:
        read.clear()
        of(*[row(f"m{number}", [number + 0.5, float(number)]) for number in range(size)])
        return len(read)

    assert work(80) <= 2.1 * work(40)
