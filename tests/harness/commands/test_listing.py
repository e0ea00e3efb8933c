"""What `dkd list` shows of a grid: rows, what went wrong first, one line on all of it, and that again and again."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.commands import listing, output
from harness.commands.contract import tiny_cell
from harness.commands.status import CellStatus, State
from harness.store.layout import Results
from harness.store.records import Seconds
from methods.base.pair import Pair
from tests import factory

MINUTE = Seconds(startup=0.0, synthesis=50.0, distillation=9.0, evaluation=1.0)


def cell(
    label: str, seed: int, state: State, detail: str = "", pair: str = "wrn10_1--cnn3_16", **more: Any
) -> CellStatus:
    named = replace(
        tiny_cell("fast", {}), study="toy", pair=Pair.of(*pair.split("--")), label=label, scale=10.0, seed=seed
    )
    result = None
    if state == "done":
        result = factory.metrics(label, seed=seed, cell=named.name, seconds=MINUTE, cpu_seconds=MINUTE, **more)
    return CellStatus(named, Results(Path("r")).cell(named), state, detail, result, 45.0 * (state == "running"))


GRID = [
    cell("dafl", 0, "done", final=90.0),
    cell("dafl", 1, "done", final=92.0),
    cell("ssd-kd", 0, "done", final=80.0),
    cell("ssd-kd", 1, "running", "at epoch 3/4"),
    cell("cmi", 0, "waiting"),
    cell("cmi", 1, "waiting"),
    cell("fast", 0, "done", pair="wrn10_1--wrn16_1"),
    cell("fast", 1, "done", pair="wrn10_1--wrn16_1"),
    cell("zskt", 0, "failed", "loss is nan", pair="wrn10_1--wrn16_1"),
    cell("zskt", 1, "stale", "zskt.py changed", pair="wrn10_1--wrn16_1"),
]


def shown(lines: Iterator[output.Line]) -> list[str]:
    return list(output.lines(lines, terminal=False))


def test_rows_stand_below_their_pair_and_what_went_wrong_comes_first() -> None:
    assert shown(listing.by_row(GRID))[:7] == [
        "toy/digits/wrn10_1--wrn16_1",
        "  failed  0/2  zskt/scale-10  seed 0 failed: loss is nan; seed 1 stale: zskt.py changed",
        "  done    2/2  fast/scale-10  90.50 ± 0.71 % top1, 59.0 CPU s",
        "toy/digits/wrn10_1--cnn3_16",
        "  running  1/2  ssd-kd/scale-10  seed 1 running: at epoch 3/4; 80.00 % top1, 59.0 CPU s",
        "  waiting  0/2  cmi/scale-10",
        "  done     2/2  dafl/scale-10    91.00 ± 1.41 % top1, 59.0 CPU s",
    ]


def test_the_summary_says_how_long_the_rest_takes() -> None:
    """A minute each: 1/4 of one, two that wait, one again; on two cores as in the last run."""
    grid = [*GRID, cell("cmi", 2, "done"), cell("zskt", 2, "done", pair="wrn10_1--wrn16_1")]
    line, *_ = listing.summary(grid)
    assert line == "12 cells: 7 done, 2 waiting, 1 running, 1 stale, 1 failed; about 2 min left, 2 at once"
    line, *more = listing.summary(grid, at_once=1)
    assert line.endswith("; about 3 min left, 1 at once")
    assert more == ["1 failed or diverged, which is a result: `dkd retry` lets them run again"]
    assert list(listing.summary([])) == ["0 cells"]
    assert list(listing.summary(GRID[:2])) == ["2 cells: 2 done"]
    assert list(listing.summary(GRID[4:6])) == ["2 cells: 2 waiting"]


def test_the_summary_leaves_out_the_time_of_labels_pairs_and_scales_of_which_nothing_is_done() -> None:
    """Of four cells that are left, cmi's and zskt's are of labels never seen. A minute of ssd-kd is left in 1/4."""
    line, *_ = listing.summary(GRID, at_once=1)
    assert line.endswith("; under a minute left for 1 of 4 cells, 1 at once")


def test_many_seeds_of_one_fate_are_told_once() -> None:
    cells = [cell("dafl", seed, "failed", "out of luck") for seed in range(7)]
    assert shown(listing.by_row([*cells, cell("dafl", 7, "waiting")]))[1] == (
        "  failed  0/8  dafl/scale-10  seed 0, 1, 2, 3 and 3 more failed: out of luck"
    )
    assert shown(listing.by_row(cells))[1] == "  failed  0/7  dafl/scale-10  out of luck"


def test_a_line_a_cell_where_that_is_asked_for() -> None:
    name = "toy/digits/wrn10_1--cnn3_16/{}/scale-10/seed-1"
    assert shown(listing.by_cell([GRID[3], GRID[5]])) == [
        f"running  {name.format('ssd-kd')}  at epoch 3/4",
        f"waiting  {name.format('cmi')}",
        "2 cells: 1 waiting, 1 running",
    ]


def test_what_to_do_about_damaged_ones() -> None:
    told = list(listing.summary([cell("dafl", 0, "damaged", "EOF"), cell("dafl", 1, "done")]))
    assert told[1] == "1 damaged: `dkd run CELL` takes it back from its copy, or says what to remove"


def test_overloaded_runs_are_named() -> None:
    busy = MINUTE.model_copy(update={"synthesis": 100.0})
    one = cell("dafl", 0, "done")
    assert one.result
    one = replace(one, result=one.result.model_copy(update={"seconds": busy}))
    assert "1 on an overloaded machine" in list(listing.summary([one]))[-1]


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Iterator[listing.Look]:
    """A grid of two cells: both wait, the first one runs, is done, the second one too. Nobody waits for that."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    first, second = [[cell("dafl", seed, state) for state in ("waiting", "running", "done")] for seed in (0, 1)]
    states = [(0, 0), (1, 0), (2, 0), (2, 1), (2, 2)]
    found = itertools.chain([first[one], second[other]] for one, other in states)
    yield lambda: next(found)
    assert len(slept) == len(states) - 1
    assert min(slept) >= listing.EVERY_SECONDS


def test_elsewhere_than_on_a_terminal_a_line_a_cell_that_has_ended(looks: listing.Look) -> None:
    assert list(listing.watch(looks, watched=False)) == [
        "2 cells: 2 waiting",
        "2 cells: 1 done, 1 waiting; about 1 min left, 2 at once",
        "2 cells: 2 done",
    ]


def test_a_workflow_is_followed_although_all_its_cells_are_stale(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    states: Iterator[State] = iter(["stale", "running", "done"])
    monkeypatch.setattr(listing, "of_grid", lambda cells, results: [cell("dafl", 0, next(states))])
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    listing.follow([], tmp_path, at_once=1)
    told = [line.partition(" ")[2] for line in capsys.readouterr().err.splitlines()]
    assert told == ["1 cell: 1 stale", "1 cell: 1 done"]


@pytest.mark.parametrize("height", range(1, 8))
def test_however_few_lines_a_terminal_has(monkeypatch: pytest.MonkeyPatch, height: int) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", str(height))
    assert len(listing.screen([cell(f"m{number}", 0, "waiting") for number in range(20)])) <= max(2, height)


def test_a_terminal_keeps_the_last_state(
    looks: listing.Look, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert list(listing.watch(looks, watched=True))[-1] == "2 cells: 2 done"
    assert "running" in capsys.readouterr().out


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("LINES", "8")
    lines = [str(line) for line in listing.screen([cell(f"m{number}", 0, "waiting") for number in range(20)])]
    assert len(lines) < 8
    assert lines[-2:] == ["and 18 lines more", "20 cells: 20 waiting"]
    assert lines[0] == "toy/digits/wrn10_1--cnn3_16"
