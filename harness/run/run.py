"""The run: a cell together with its key, and everything that both decide. Resolved once, read by all that follows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import UserError
from harness.grid import keys
from harness.grid.cell import Cell
from harness.store.layout import CellFolder, Results, RunFolder, TeacherFolder
from harness.store.records import TeacherRecord
from harness.teachers import shelf

if TYPE_CHECKING:
    import torch

    from methods.base.method import Method, MethodConfig
    from methods.base.prior import Prior


CHANGED = "its code, configuration or data changed meanwhile\n  give the same command again: what is finished stays"


@dataclass(frozen=True)
class Run:
    """A cell with its key, its teacher and its place on disk. What needs torch is resolved at its first use."""

    cell: Cell
    results: Results
    plan_key: str
    teacher: TeacherRecord
    concurrent: int
    """How many cells may run at the same time on this machine."""

    @classmethod
    def of(cls, cell: Cell, results: Path, plan_key: str | None = None, concurrent: int = 1) -> Run:
        """The run that the cell asks for now.

        Raises UserError if its teacher is not there, or if ``plan_key``, which the workflow computed, is not its own.
        """
        place, plan = Results(results), keys.plan_key(cell)
        if plan_key not in (None, plan):
            raise UserError(f"{cell.name}: planned with key {plan_key}, now it is {plan}: {CHANGED}")
        teacher = shelf.find(place.teacher(cell.dataset, cell.pair.teacher), cell.teacher_network, cell.own)
        return cls(cell, place, plan, teacher, concurrent)

    @cached_property
    def key(self) -> str:
        """The cell key: plan key and teacher."""
        return keys.cell_key(self.plan_key, self.teacher.identity)

    @property
    def teacher_folder(self) -> TeacherFolder:
        """Where the teacher is."""
        return self.results.teacher(self.cell.dataset, self.cell.pair.teacher)

    @property
    def cell_folder(self) -> CellFolder:
        """Where the copy of the result goes."""
        return self.results.cell(self.cell.name)

    @property
    def folder(self) -> RunFolder:
        """Where everything of this key goes."""
        return self.cell_folder.run(self.key)

    def confirm(self) -> None:
        """Raise UserError unless all that the key stands for is still as it was when the key was computed.

        To be called when the method was built. All of the code is imported then: the key is of the code that runs,
        whatever is edited later.
        """
        from harness.run import imports

        imports.complete(self.cell)
        keys.forget()
        if keys.plan_key(self.cell) != self.plan_key:
            raise UserError(f"{self.cell.name}: {CHANGED}")

    @cached_property
    def method(self) -> type[Method]:
        """The class of the method. Raises UserError if its file breaks the contract."""
        from harness.run.assemble import method_class

        return method_class(self.cell)

    @cached_property
    def config(self) -> MethodConfig:
        """Every value that the method runs with. Raises ConfigError that names the key."""
        from harness.run.assemble import method_config

        return method_config(self.cell)

    @cached_property
    def prior(self) -> Prior:
        """What the method uses beyond the teacher. Raises UserError if it does not say so."""
        from harness.run.assemble import method_prior

        return method_prior(self.cell)

    @cached_property
    def device(self) -> torch.device:
        """Where it runs. To be asked for after a GPU was leased, which decides what torch sees.

        Raises UserError where the cell wants a device that is not there, or what it cannot do.
        """
        from harness.run.assemble import cell_device

        return cell_device(self.cell)

    @cached_property
    def device_name(self) -> str:
        """Model of the GPU or the processor."""
        from harness.machine.devices import device_name

        return device_name(self.device)
