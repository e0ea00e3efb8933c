"""How a run asks its teacher what the student shall learn: at every draw, or once for all views of an image."""

from __future__ import annotations

from dataclasses import dataclass

SHARE = 1 / 4
"""How much of the device's memory, or of the machine's on a CPU, the teacher's answers take at most. Our choice."""


@dataclass(frozen=True)
class Asking:
    """What a run would ask of the teacher at its draws, and once for every view, and what follows from it."""

    draws: int
    """Images that the student is shown in the whole run."""
    views: int
    """All views of all images that the run stores, those included that others replace."""
    bytes: int
    """Size of the answers that are there at once, one for every view of N images."""
    memory: int
    """Bytes that the device has, or the machine on a CPU."""

    @property
    def once(self) -> bool:
        """The rule: the teacher is asked once where a view is drawn more than once, and the answers fit."""
        return self.draws > self.views and self.bytes <= SHARE * self.memory

    @property
    def remembered(self) -> int:
        """Images that go forward through the teacher before they are drawn, and whose answers are kept."""
        return self.views if self.once else 0

    @property
    def at_draws(self) -> int:
        """Images that go forward through the teacher when they are drawn."""
        return 0 if self.once else self.draws

    def __str__(self) -> str:
        drawn = f"a view is drawn {self.draws / self.views:.2g} times"
        if self.draws <= self.views:
            return f"at every draw: {drawn}"
        size = f"answers take {_mib(self.bytes)} of {_mib(SHARE * self.memory)} that they may"
        return f"once for every view: {drawn}, {size}" if self.once else f"at every draw: {drawn}, but {size}"


def _mib(size: float) -> str:
    return f"{size / 2**20:,.0f} MiB"
