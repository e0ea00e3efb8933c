"""What a check is told, and the modes in which a device can calculate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.gpu_check.record import Found

Items = dict[str, Callable[[], Found]]
"""Name -> what measures it. Those of a part are done in this order."""


@dataclass(frozen=True)
class Setting:
    """What a check is told."""

    out: Path
    """Its folder: record, table, and the runs that it makes."""
    teacher: Path | None
    """File of a public teacher (`dkd teachers`) of CIFAR-10; without it the runs are of digits."""
    tiny: bool
    """Whether to do a little of everything, in sizes for a CPU."""

    @property
    def arguments(self) -> list[str]:
        """The command line that says it."""
        teacher = ["--teacher", str(self.teacher)] if self.teacher else []
        return ["--out", str(self.out), *teacher, *(["--tiny"] if self.tiny else [])]


@dataclass(frozen=True)
class Mode:
    """How a cell calculates."""

    precision: str
    graphs: bool = False

    def __str__(self) -> str:
        return f"{self.precision}, graphs" if self.graphs else self.precision


PLAIN, FASTEST = Mode("fp32"), Mode("bf16", graphs=True)
MODES = (PLAIN, Mode("tf32"), Mode("bf16"), Mode("fp32", graphs=True), FASTEST)
