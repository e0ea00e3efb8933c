"""What to say of cells that seem to need more memory than a device has, alone or several at once."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from harness.grid.cell import Cell
from harness.run.assemble import method_config
from harness.run.cost import estimate
from harness.store.layout import scale_text

FEWEST = 2
"""Images of a batch: batch norm needs two."""


def memory_problem(cell: Cell, available: int) -> str | None:
    """What to say if the cell seems to need more than ``available`` bytes: how much, and which batch would fit."""
    cost = estimate(cell)
    if cost is None or cost.memory <= available:
        return None
    config = method_config(cell)
    share = max(0, available - cost.resident) / cost.activations
    batches = {name: getattr(config, name) for name in ("batch", "inversion_batch") if hasattr(config, name)}
    fitting = ", ".join(f"{name}: {int(share * size)} instead of {size}" for name, size in batches.items())
    fix = f"this would fit: {fitting}" if share * min(batches.values()) >= FEWEST else "no batch would fit"
    return (
        f"{cell.label} on {cell.pair} at {scale_text(cell.scale)} % needs about {_gib(cost.memory)}, "
        f"the device has {_gib(available)}; {fix}"
    )


def shared_problem(cells: Sequence[Cell], share: int, available: int) -> str | None:
    """What to say if the ``share`` cells that need most do not fit into ``available`` bytes together; None if they do.

    Of each setup of ``cells`` the largest data scale counts, for all its cells.
    """
    setups: dict[tuple[object, ...], list[Cell]] = {}
    for cell in sorted(cells, key=lambda cell: -cell.scale):
        setups.setdefault((cell.study, cell.dataset, cell.pair, cell.label), []).append(cell)
    known = [(found.memory, group) for group in setups.values() if (found := estimate(group[0]))]
    largest = sorted(((size, cell.row) for size, group in known for cell in group), reverse=True)[:share]
    sums = list(itertools.accumulate(size for size, _ in largest))
    if not sums or sums[-1] <= available:
        return None
    fitting = sum(total <= available for total in sums)
    return (
        f"share: {share}: the cells that need most take about {_gib(sums[-1])} of a GPU together, up to "
        f"{_gib(largest[0][0])} each ({largest[0][1]}); the device has {_gib(available)}, for {fitting} of them"
    )


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"
