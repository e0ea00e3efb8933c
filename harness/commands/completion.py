"""What a shell offers when a command line is completed. Never imports torch."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError
from harness.grid.grid import load_grid
from harness.grid.paths import default
from harness.grid.pattern import parts
from harness.store.layout import words_of


def cells(begun: str, configfile: Path | None = None) -> list[str]:
    """Parts of cells' names that begin so, in as many words: ``ssd-kd/sc`` becomes ``ssd-kd/scale-10``.

    Args:
        begun: what is typed until now.
        configfile: the grid; the default one if None. A grid that cannot be read offers nothing.
    """
    try:
        names = [cell.name for cell in load_grid(configfile or default()).cells]
    except (UserError, OSError):
        return []
    count = begun.count("/") + 1
    known = dict.fromkeys(part for name in names for part in parts(words_of(name), count))
    return [part for part in known if part.startswith(begun)]
