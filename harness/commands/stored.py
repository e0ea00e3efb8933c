"""The cells and runs of a results folder that a pattern means. Never imports torch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TypeVar

from harness.errors import UserError
from harness.grid import pattern as patterns
from harness.grid.grid import load_grid
from harness.grid.paths import default
from harness.store import place
from harness.store.layout import CellFolder, Results, RunFolder
from harness.wording import count

FolderT = TypeVar("FolderT", CellFolder, RunFolder)


def cells(results: Path, pattern: str) -> list[CellFolder]:
    """The cells that are there and meant. Raises UserError if there is none, unless everything is."""
    return _meant(pattern, Results(results).cells(), lambda cell: cell.place, results)


def finished(results: Path, pattern: str) -> list[CellFolder]:
    """Those of them that have a result. Raises UserError if there is none."""
    return _some(_meant(pattern, Results(results).finished(), lambda cell: cell.place, results), results)


def runs(results: Path, pattern: str) -> list[RunFolder]:
    """The runs of the cells that are meant, or the one of a key. Raises UserError if there is none."""
    return _some(_meant(pattern, Results(results).runs(), lambda run: run.cell.place, results), results)


def _some(found: list[FolderT], results: Path) -> list[FolderT]:
    if not found:
        raise UserError(f"no results under {results}{place.elsewhere(results) or '; `dkd list` names the cells'}")
    return found


def _meant(pattern: str, folders: Iterable[FolderT], name: Callable[[FolderT], str], results: Path) -> list[FolderT]:
    named = [(name(folder), folder) for folder in folders]
    found = patterns.matching(pattern, named, patterns.keys_of)
    if not found and pattern != "*":
        raise _nothing(pattern, {cell for cell, _ in named}, results)
    return found


def _nothing(pattern: str, names: Collection[str], results: Path) -> UserError:
    """Suggests from what is there and from the default grid, and says if that has such cells, which never ran."""
    asked: list[str] = []
    with contextlib.suppress(UserError):  # there may be no configurations here
        asked = [cell.name for cell in load_grid(default()).cells]
    never = patterns.matching(pattern, [(name, name) for name in asked], lambda _: ())
    more = f"\n  {default()} has {len(never)} such cells that never ran: `dkd run` runs them" if never else ""
    meant = sorted(names) if never else [*sorted(names), *asked]  # what was typed is no suggestion
    return patterns.nothing(pattern, meant, f"{results} ({count(len(names), 'cell')})", more)
