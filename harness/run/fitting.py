"""What to say of cells that seem to need more memory than a device has, alone or several at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.grid.cell import Cell
from harness.run.assemble import method_config
from harness.run.cost import estimate
from harness.run.costs import Cost
from harness.store.layout import scale_text

FEWEST = 2
"""Images of a batch: batch norm needs two."""


def memory_problem(cell: Cell, available: int) -> str | None:
    """What to say if the cell seems to need more than ``available`` bytes: how much, and which batch would fit."""
    cost = estimate(cell)
    beside = cost.process if cost and cell.device == "cpu" else 0
    if cost is None or cost.memory + beside <= available:
        return None
    config = method_config(cell)
    share = max(0, available - beside - cost.resident) / cost.activations
    batches = {name: getattr(config, name) for name in ("batch", "inversion_batch") if hasattr(config, name)}
    fitting = ", ".join(f"{name}: {int(share * size)} instead of {size}" for name, size in batches.items())
    fix = f"this would fit: {fitting}" if share * min(batches.values()) >= FEWEST else "no batch would fit"
    return (
        f"{cell.label} on {cell.pair} at {scale_text(cell.scale)} % needs about {_gib(cost.memory + beside)}, "
        f"the device has {_gib(available)}; {fix}"
    )


def shared_problem(cells: Sequence[Cell], share: int, available: int) -> str | None:
    """What to say if the ``share`` cells that need most do not fit on a GPU of ``available`` bytes; None if they do."""
    if crowd := _crowd(cells, share, available, lambda cost: cost.memory):
        return f"share: {share}: {crowd}"
    return None


def crowd_problem(cells: Sequence[Cell], concurrent: int, available: int) -> str | None:
    """What to say if the ``concurrent`` cells that need most do not fit into main memory; None if they do."""
    if crowd := _crowd(cells, concurrent, available, lambda cost: cost.memory + cost.process):
        return f"{concurrent} cells at once: {crowd}: type snakemake --cores {max(1, crowd.fitting) * cells[0].threads}"
    return None


@dataclass(frozen=True)
class _Crowd:
    """Cells that do not fit together."""

    needed: int
    """Bytes of all of them."""
    largest: tuple[int, str]
    """Bytes and name of the one that needs most."""
    available: int
    """Bytes that there are."""
    fitting: int
    """How many of them fit, those first that need most."""

    def __str__(self) -> str:
        size, row = self.largest
        return (
            f"the cells that need most take about {_gib(self.needed)} together, up to {_gib(size)} each ({row}); "
            f"there is memory of {_gib(self.available)}, for {self.fitting or 'none'} of them"
        )


def _crowd(cells: Sequence[Cell], count: int, available: int, size_of: Callable[[Cost], int]) -> _Crowd | None:
    """The ``count`` cells that need most by ``size_of``, unless they fit.

    Of each setup of ``cells`` the largest data scale counts, for all its cells.
    """
    setups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: -cell.scale):
        setups.setdefault((cell.study, cell.dataset, cell.pair, cell.label), []).append(cell)
    known = [(size_of(found), group) for group in setups.values() if (found := estimate(group[0]))]
    largest = sorted(((size, cell.row) for size, group in known for cell in group), reverse=True)[:count]
    sums = list(itertools.accumulate(size for size, _ in largest))
    if not sums or sums[-1] <= available:
        return None
    return _Crowd(sums[-1], largest[0], available, sum(total <= available for total in sums))


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
