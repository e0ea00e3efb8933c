"""Many cells, in several processes: the same as one by one."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from dataclasses import replace

import pytest

from harness.commands.contract import tiny_cell
from harness.run.cost import estimate
from harness.run.estimates import MANY, _next, _parts, estimates, prepare
from methods.base.pair import Pair


def test_processes_of_their_own_find_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.run.estimates.MANY", 1)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    wider = replace(tiny_cell("dfq"), pair=Pair.of("wrn10_1", "wrn16_1"), student_network="wrn16_1")
    cells = [tiny_cell("fast"), wider]
    assert dict(estimates(cells)) == {cell: estimate(cell) for cell in cells}


def test_every_cell_is_in_one_part_and_a_label_of_a_pair_in_one_group() -> None:
    cells = [
        replace(tiny_cell("fast"), label=label, pair=Pair.of("wrn10_1", student), scale=scale)
        for scale in (1.0, 5.0)
        for student in ("cnn3_16", "wrn16_1", "cnn3_8")
        for label in ("a", "b", "c")
    ]
    parts = list(_parts(cells, 2))
    together = [cell for part in parts for group in part for cell in group]
    assert sorted(map(str, together)) == sorted(map(str, cells))
    assert {tuple(cell.scale for cell in group) for part in parts for group in part} == {(5.0, 1.0)}
    assert [sum(map(len, part)) for part in parts] == [8, 10]


WITHOUT_TORCH = """
import os, sys
from pathlib import Path
from harness.commands import estimate
from harness.grid.grid import load_grid
from harness.run import estimates

estimates.MANY, os.sched_getaffinity = 1, lambda process: {0, 1}
cells = [cell for cell in load_grid(Path("workflow/config/smoke.yaml")).cells if cell.label in ("fast", "kd-noise")]
print(all(cost.images.lie for _, cost in estimates.estimates(cells)), "torch" in sys.modules)
"""


def test_asking_for_estimates_and_their_answers_does_not_import_torch() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_TORCH], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == ["True", "False"]


def test_a_process_that_is_done_takes_what_is_last_elsewhere() -> None:
    parts = [deque("abc"), deque("d"), deque("ef")]
    assert [_next(parts, 1) for _ in range(7)] == ["d", "c", "b", "f", "a", "e", []]


def test_few_cells_start_no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1})
    assert [prepare(MANY - 1), prepare(MANY)] == [0, 2]
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
    assert prepare(MANY) == 0
