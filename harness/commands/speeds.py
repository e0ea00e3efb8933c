"""How fast finished cells were, to judge others by: seconds per counted operation, from the cells most like them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from harness.grid.cell import Cell
from harness.machine import facts
from harness.store.records import Flops, Metrics

KINDS: Sequence[tuple[str, Callable[[Cell], Hashable]]] = (
    ("label and pair", lambda cell: (cell.label, cell.pair.networks)),
    ("pair", lambda cell: cell.pair.networks),
    ("label", lambda cell: cell.label),
    ("device", lambda _: None),
)
"""What cells have in common, the nearest first. Small networks wait for more than operations, so that the pair tells
more than the label."""
PHASES = ("synthesis", "distillation")


@dataclass(frozen=True)
class Judged:
    """What a cell will take, and what it was judged by."""

    seconds: float
    """Of synthesis and distillation."""
    by: str
    """One of KINDS, that of the phase whose likes are further off."""


class Speeds:
    """Of cells that are done.

    Args:
        finished: each with its result. Of several devices that of this machine counts, or else the latest. What an
            overloaded machine needed says nothing.
    """

    def __init__(self, finished: Iterable[tuple[Cell, Metrics]]) -> None:
        telling = [(cell, result) for cell, result in finished if result.flops and not result.overloaded]
        latest = max(telling, key=lambda one: one[1].finished, default=None)
        here = any(result.device_name == facts.cpu_name() for _, result in telling)
        self.device = facts.cpu_name() if here else latest[1].device_name if latest else None
        """Model of the GPU or the processor; None where nothing tells."""
        self._seconds, self._operations = Counter[Hashable](), Counter[Hashable]()
        for cell, result in telling:
            if result.device_name == self.device:
                self._learn(cell, result)

    def _learn(self, cell: Cell, result: Metrics) -> None:
        for kind, alike in KINDS:
            for phase in PHASES:
                self._seconds[kind, alike(cell), phase] += getattr(result.seconds, phase)
                self._operations[kind, alike(cell), phase] += getattr(result.flops, phase)

    def judge(self, cell: Cell, flops: Flops) -> Judged | None:
        """Seconds of a run of ``cell`` that takes ``flops``; None where no finished cell has such a phase."""
        wanted = {phase: operations for phase in PHASES if (operations := getattr(flops, phase))}
        found = {phase: self._nearest(cell, phase) for phase in wanted}
        if not found or None in found.values():
            return None
        known = {phase: one for phase, one in found.items() if one}
        kinds = [kind for kind, _ in KINDS]
        by = max((kind for kind, _ in known.values()), key=kinds.index)
        return Judged(sum(wanted[phase] * rate for phase, (_, rate) in known.items()), by)

    def _nearest(self, cell: Cell, phase: str) -> tuple[str, float] | None:
        """Seconds per operation of the nearest cells that had operations in this phase, and of which kind they are."""
        for kind, alike in KINDS:
            key = kind, alike(cell), phase
            if self._operations[key]:
                return kind, self._seconds[key] / self._operations[key]
        return None
