"""What the steps of a round draw, decided at its beginning and kept in memory that never moves.

A step then is the same operations on the same memory, whichever of the run it is, and can be recorded once and played
again. Where it stands in its round is a number on the device, which the step itself moves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


class Plan:
    """Rows of tensors, a row for every step of a round, handed out one after another.

    Args:
        most: steps of the longest round: `Schedule.longest_round`.
        device: where the rows lie.
    """

    def __init__(self, most: int, device: torch.device) -> None:
        self.most = most
        self._rows: list[Tensor] = []
        self._next = torch.zeros(1, dtype=torch.int64, device=device)

    def begin(self, *rows: Tensor) -> None:
        """Plan a round of n steps: tensors [n, ...], of the same shapes and types in all rounds but for n.

        Raises ValueError for a round longer than the longest.
        """
        if len(rows[0]) > self.most:
            raise ValueError(
                f"a round of {len(rows[0])} steps; the longest of the schedule has {self.most}: set `schedule` before "
                "`source` and `distiller` are made, and let its `longest_round` say the most of `steps_in`"
            )
        self._rows = self._rows or [row.new_zeros(self.most, *row.shape[1:]) for row in rows]
        for place, planned in zip(self._rows, rows, strict=True):
            place[: len(planned)].copy_(planned)
        self._next.zero_()

    def draw(self) -> list[Tensor]:
        """The next step's row of each tensor: [...]."""
        drawn = [place.index_select(0, self._next).squeeze(0) for place in self._rows]
        self._next.add_(1)
        return drawn


def written_over(place: Any, value: Any) -> Any:
    """``value`` with its tensors in the memory of those of ``place``, or in new memory where there are none yet.

    Args:
        place: what this returned for the value before, of the same shapes; None at first.
        value: a tensor, or a dataclass, dictionary or tuple that holds some; else it is returned as it is.
    """
    if isinstance(value, Tensor):
        return value.clone() if place is None else place.copy_(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return dataclasses.replace(
            value, **{name: written_over(getattr(place, name, None), getattr(value, name)) for name in names}
        )
    if isinstance(value, Mapping):
        return {name: written_over((place or {}).get(name), one) for name, one in value.items()}
    if isinstance(value, tuple):
        return tuple(written_over(old, new) for old, new in zip(place or [None] * len(value), value, strict=True))
    return value
