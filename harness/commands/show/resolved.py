"""A method as a study runs it: every value, and where it comes from. Imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness import data
from harness.commands.output import Line, columns
from harness.commands.show import words
from harness.errors import ConfigError
from harness.explain import brief
from harness.grid.cell import Cell
from harness.grid.grid import load_grid
from harness.run.assemble import method_class, method_config, method_prior, preset_note, problem
from harness.store.layout import scale_text
from methods.base.presets import resolve
from methods.base.prior import Prior

Rows = list[tuple[str, str, str]]
"""Name, value, and where that comes from."""


def describe(name: str, file: Path) -> Iterator[Line]:
    """The labels of a grid that are ``name``, or run the method of this name. Raises ConfigError if there is none."""
    cells = load_grid(file).cells
    file_name = Path(name).name if name.endswith(".py") else name
    chosen = [cell for cell in cells if name == cell.label or file_name == cell.method]
    if not chosen:
        choices = dict.fromkeys(word for cell in cells for word in (cell.label, cell.method))
        raise ConfigError(f"dkd show {brief(name)}", f"neither a label nor a method of {file}", name, choices)
    for label in dict.fromkeys((cell.study, cell.label) for cell in chosen):
        yield from _label([cell for cell in chosen if (cell.study, cell.label) == label])


def _label(cells: list[Cell]) -> Iterator[Line]:
    """One label: its values once for all problems for which they are the same."""
    first = cells[0]
    preset = f", preset {first.preset}" if first.preset else ""
    yield f"{first.label} in study {first.study}: method {first.method}{preset}"
    groups: dict[str, list[Cell]] = {}
    for cell in {(cell.dataset, cell.pair): cell for cell in cells}.values():
        groups.setdefault(str([_rows(cell), preset_note(cell)]), []).append(cell)
    for group in groups.values():
        yield f"  on {'; '.join(str(problem(cell)) for cell in group)}"
        if facts := list(_facts(group[0])):
            yield columns(facts, indent=4)
        yield columns(_rows(group[0]), indent=4)
    yield columns([("precision", first.precision), *_sizes(cells)], indent=2)


def _facts(cell: Cell) -> Iterator[tuple[str, str]]:
    """What is to be known before its values: whose they are if not its own, and its prior if it has one."""
    if note := preset_note(cell):
        yield "note", note
    if (prior := method_prior(cell)) is not Prior.NONE:
        yield "prior", str(prior)


def _rows(cell: Cell) -> Rows:
    chosen = resolve(cell.method, method_class(cell).presets, cell.preset, problem(cell)).options
    values = method_config(cell).model_dump()
    return [(name, words.value(value), _origin(cell, name, name in chosen)) for name, value in values.items()]


def _origin(cell: Cell, name: str, preset: bool) -> str:
    if name in cell.options:
        return f"label, {_line(cell, 'methods', cell.label, name)}"
    if name in cell.budget.options:
        return f"budget, {_line(cell, 'budget', name)}"
    return f"preset {cell.preset}" if preset else "default"


def _line(cell: Cell, *path: str) -> str:
    """File and line of a value."""
    return cell.places.at(*path).rpartition(": ")[0]


def _sizes(cells: list[Cell]) -> Iterator[tuple[str, str]]:
    """How many images and steps a data scale leaves."""
    for cell in {(cell.dataset, cell.scale): cell for cell in cells}.values():
        steps = max(1, round(cell.share * method_config(cell).steps))
        images = data.load(cell.data, cell.verify).task.images(cell.share)
        yield f"{cell.dataset} at {scale_text(cell.scale)} %", f"{images:,} images, {steps:,} distillation steps"
