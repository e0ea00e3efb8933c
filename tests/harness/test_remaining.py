"""How long a grid still takes: against products that are known, and sums by hand."""

from __future__ import annotations

import itertools

import pytest

from harness.remaining import Expected, duration, remaining, took, words
from harness.store.layout import CellName
from harness.store.records import Seconds
from methods.base.pair import Pair
from tests import factory


def cell(label: str, scale: float = 10.0, seed: int = 0, student: str = "s") -> CellName:
    return CellName("toy", "digits", Pair.of("t", student), label, scale, seed)


PAIRS, LABELS, SCALES = {"s": 7.0, "u": 20.0}, {"fast": 1.0, "dafl": 3.0, "cmi": 11.0}, {10.0: 1.0, 100.0: 8.0}


def product(name: CellName) -> float:
    return PAIRS[name.pair.student] * LABELS[name.label] * SCALES[name.scale]


def test_what_never_ran_takes_what_its_parts_take_elsewhere() -> None:
    """Times that are products are found again, though half of the rows is missing."""
    rows = [cell(label, scale, student=pair) for pair, label, scale in itertools.product(PAIRS, LABELS, SCALES)]
    seen = [row for row in rows if (row.scale == 10.0) or (row.label == "fast" and row.pair.student == "s")]
    expected = Expected((row, product(row)) for row in seen)
    for row in rows:
        assert expected.seconds(row) == pytest.approx(product(row), rel=1e-6)


def test_a_rows_own_seeds_tell_before_all_others() -> None:
    expected = Expected([(cell("fast", seed=0), 10.0), (cell("fast", seed=1), 20.0), (cell("dafl"), 500.0)])
    assert expected.seconds(cell("fast", seed=2)) == 15.0


def test_nothing_is_said_before_a_cell_is_done() -> None:
    assert remaining([], [(cell("fast"), 3.0)], 1) is None


def test_the_rest_is_shared_by_those_that_run_at_once() -> None:
    taken = [(cell("fast"), 10.0), (cell("dafl"), 40.0)]
    left = [(cell("fast", seed=1), 4.0), (cell("fast", seed=2), 0.0), (cell("dafl", seed=1), 0.0)]
    assert remaining(taken, left, 1) == 6 + 10 + 40
    assert remaining(taken, left, 2) == 40, "no grid ends before its longest cell"
    assert remaining(taken, [*left, (cell("dafl", seed=2), 10.0)], 2) == (6 + 10 + 40 + 30) / 2
    assert remaining(taken, [(cell("fast", seed=1), 99.0)], 1) == 0, "longer than expected: any moment"
    assert remaining(taken, [], 1) == 0


def test_what_a_run_took_is_all_that_a_grid_waits_for() -> None:
    seconds = Seconds(startup=1.0, synthesis=20.0, distillation=300.0, evaluation=4000.0, waiting=9e5)
    assert took(factory.metrics(seconds=seconds)) == 4321.0


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (29, "under a minute"),
        (31, "about 1 min"),
        (3599, "about 1 h 0 min"),
        (7500, "about 2 h 5 min"),
        (86400 * 3 + 3600 * 4 + 60, "about 3 d 4 h"),
    ],
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_in_words_as_many_at_once_as_there_were() -> None:
    """Five cells of 600 s each: two in turn have 1500 s to do, three have 1000 s."""
    each = Seconds(startup=0.0, synthesis=500.0, distillation=90.0, evaluation=10.0)
    done = [(cell("fast"), factory.metrics("fast", seconds=each, concurrent=2))]
    left = [(cell("fast", seed=seed), 0.0) for seed in range(1, 6)]
    assert words(done, left) == "about 25 min left, 2 at once"
    assert words(done, left, at_once=1) == "about 50 min left, 1 at once"
    assert words(done, left, at_once=1, running=3) == "about 17 min left, 3 at once"
    assert words([], left) == words(done, []) == ""


def test_nothing_is_said_of_a_label_a_pair_or_a_scale_of_which_nothing_is_done() -> None:
    """One cell of 600 s is left that is known; what another scale takes is not."""
    each = Seconds(startup=0.0, synthesis=500.0, distillation=90.0, evaluation=10.0)
    done = [(cell("fast"), factory.metrics("fast", seconds=each, concurrent=1))]
    unknown = [(cell("fast", 100.0), 0.0), (cell("dafl"), 0.0), (cell("fast", student="u"), 0.0)]
    assert words(done, [(cell("fast", seed=1), 0.0), *unknown]) == "about 10 min left for 1 of 4 cells, 1 at once"
    assert words(done, unknown) == ""
