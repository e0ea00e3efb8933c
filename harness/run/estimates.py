"""The costs of many cells, in processes of their own where these pay. Importing this does not import torch."""

from __future__ import annotations

import functools
import itertools
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import ExitStack
from multiprocessing import forkserver, get_context

from harness.grid.cell import Cell
from harness.machine import cores
from harness.run.costs import Cost

MANY = 100
"""Cells from which on processes of their own, which take seconds to start, pay."""
MOST_PROCESSES = 8


def prepare(count: int) -> int:
    """How many processes find the costs of ``count`` cells, 0 for this one; they import PyTorch from now on, once."""
    processes = min(MOST_PROCESSES, cores.for_processes())
    if processes < 2 or count < MANY:
        return 0
    forkserver.set_forkserver_preload(["harness.run.cost"])
    forkserver.ensure_running()
    return processes


def estimates(cells: Sequence[Cell]) -> Iterator[tuple[Cell, Cost | None]]:
    """Each cell and `harness.run.cost.estimate` of it, as they are found."""
    processes = prepare(len(cells))
    if not processes:
        for group in _groups(cells):
            for cell in group:
                yield from _estimated([cell])
        return
    with ExitStack() as stack:
        parts = list(_parts(cells, processes))
        new = functools.partial(ProcessPoolExecutor, 1, mp_context=get_context("forkserver"))
        pools = [stack.enter_context(new()) for _ in parts]
        at_work = {pool.submit(_estimated, _next(parts, own)): own for own, pool in enumerate(pools)}
        while at_work:
            done, _ = wait(at_work, return_when=FIRST_COMPLETED)
            for future in done:
                own = at_work.pop(future)
                if group := _next(parts, own):
                    at_work[pools[own].submit(_estimated, group)] = own
                yield from future.result()


def _next(parts: Sequence[deque[list[Cell]]], own: int) -> list[Cell]:
    """The next group of its own part; one from the end of the longest where that is done; none where all are."""
    if parts[own]:
        return parts[own].popleft()
    longest = max(parts, key=len)
    return longest.pop() if longest else []


def _groups(cells: Sequence[Cell]) -> list[list[Cell]]:
    """Of one label, pair and dataset each. Its largest and smallest scale first: what both share is counted no more."""

    def alike(cell: Cell) -> tuple[str, ...]:
        return *cell.pair.networks, cell.label, cell.dataset

    def ordered(cell: Cell) -> tuple[tuple[str, ...], float]:
        return alike(cell), cell.scale

    groups = [list(group) for _, group in itertools.groupby(sorted(cells, key=ordered), key=alike)]
    return [[group[-1], *group[:-1]] for group in groups]


def _parts(cells: Sequence[Cell], count: int) -> Iterator[deque[list[Cell]]]:
    """Groups for ``count`` processes: what is found of a pair serves the next group."""
    groups = _groups(cells)
    ends = list(itertools.accumulate(len(group) for group in groups))
    for part in range(count):
        yield deque(group for group, end in zip(groups, ends, strict=True) if (end - 1) * count // len(cells) == part)


def _estimated(cells: Sequence[Cell]) -> list[tuple[Cell, Cost | None]]:
    from harness.run import cost

    return [(cell, cost.estimate(cell)) for cell in cells]
