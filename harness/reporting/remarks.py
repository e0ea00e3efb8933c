"""What a footnote must say about the cells of a row or a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.reporting.cells import Cell

SMALL = 32
"""With fewer images than this a cell says more about the protocol than about the method."""

Odd = Mapping[str, str]
"""Path of a run -> footnote, for runs that differ from the others in teacher, code or device."""


def of_data(cells: Sequence[Cell]) -> list[str]:
    """Whether the students of a column draw from very few images."""
    few = sorted({int(run["images"]) for cell in cells for run in cell.done if run["images"] < SMALL})
    return [f"N = {_join(few)} images: fewer than {SMALL}"] if few else []


def of_time(cells: Sequence[Cell]) -> list[str]:
    """Whether the times of a column were measured beside other cells."""
    shared = sorted({int(run["concurrent"]) for cell in cells for run in cell.done if run["device"] == "cpu"})
    return [f"CPU times on a shared machine, concurrent cells: {_join(shared)}"] if shared else []


def of_row(cells: Sequence[Cell]) -> list[str]:
    """What holds for a whole row: that it sees real data, and whose hyperparameters it runs with."""
    sees_data = any(cell.sees_data for cell in cells)
    return [*(["sees real data: not data-free"] if sees_data else []), *_shared(cells)]


def of_cell(cell: Cell, row: Sequence[Cell], odd: Odd) -> list[str]:
    """What holds for one cell of a row: lost seeds, hyperparameters unlike the row's, runs unlike the others."""
    presets = [note for note in preset_notes(cell) if note not in _shared(row)]
    return [*cell.problems(), *presets, *of_runs(cell, odd)]


def of_runs(cell: Cell, odd: Odd) -> list[str]:
    """How runs of the cell differ from the others of the study."""
    return list(dict.fromkeys(odd[run["path"]] for run in cell.done if run["path"] in odd))


def preset_notes(cell: Cell) -> list[str]:
    """Why the cell's hyperparameters are not published ones, if they are not."""
    return list(dict.fromkeys(run["preset_note"] for run in cell.runs if run["preset_note"]))


def _shared(cells: Sequence[Cell]) -> list[str]:
    """The notes on presets that all cells of a row have."""
    first, *others = [preset_notes(cell) for cell in cells]
    return [note for note in first if all(note in other for other in others)]


def _join(counts: Sequence[int]) -> str:
    return " or ".join(str(count) for count in counts)
