"""Records that others sent, or we did: whatever lies under results/reference is whole and agrees with itself."""

from __future__ import annotations

from pathlib import Path

from harness import ROOT
from harness.commands import estimate
from harness.commands.status import CellStatus
from harness.commands.submission import check
from harness.grid.cell import Cell
from harness.grid.grid import load_grid
from harness.run.fitting import crowd_problem
from harness.store import reading
from harness.store.layout import Results
from harness.store.records import Metrics

REFERENCE = ROOT / "results/reference"


def test_every_folder_of_reference_records_is_a_submission() -> None:
    found = {folder.name: check.check(folder) for folder in sorted(REFERENCE.glob("*"))}
    assert {name: findings.problems for name, findings in found.items() if findings.problems} == {}


def test_memory_that_cells_at_once_are_said_to_need_is_what_they_took() -> None:
    """No run of CIFAR-10 on a CPU took more main memory than was estimated, and none less than two thirds of it."""
    files = [
        ROOT / "workflow/config" / name
        for name in ("cifar10-cpu.yaml", "cifar10-cpu-scales.yaml", "cifar10-cpu-full.yaml")
    ]
    cells = {cell.name: cell for file in files for cell in load_grid(file).cells}
    results = Results(REFERENCE / "cpu-amd-epyc")
    taken = {cell.place: reading.read(cell.metrics, Metrics).peak_memory_bytes for cell in results.cells()}
    first = {place: peak for place, peak in taken.items() if place.endswith("seed-0")}
    assert len(first) > 15
    for place, peak in first.items():
        assert crowd_problem([cells[place]], 1, peak - 1), f"{place}: {peak}"
        assert crowd_problem([cells[place]], 1, peak * 3 // 2) is None, f"{place}: {peak}"
        assert peak <= _told(cells[place]) <= peak * 3 // 2, f"{place}: {peak}"


def _told(cell: Cell) -> int:
    """Bytes of memory in what `dkd list --estimate` says of one cell."""
    waiting = CellStatus(cell, Results(Path("r")).cell(cell.name), "waiting")
    (line,) = (str(line) for line in estimate.lines([waiting]) if str(line).startswith("memory: "))
    return int(line.removeprefix("memory: about ").split()[0].replace(",", "")) * 2**20
