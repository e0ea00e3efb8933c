"""Where the values of a configuration stand, so that whatever is wrong with one is told with file, line and key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

KeyPath = tuple[str | int, ...]
"""Keys, and numbers in lists, from the outermost to the innermost."""


@dataclass(frozen=True)
class Places:
    """File and line of every value."""

    file: str = "configuration"
    """For values that stand nowhere."""
    lines: Mapping[KeyPath, str] = field(default_factory=dict)
    """Key path -> ``digits.yaml:12``."""
    files: Mapping[str, Path] = field(default_factory=dict)
    """Outermost key -> the file in which it is given."""

    def at(self, *path: str | int) -> str:
        """``digits.yaml:12: methods.ssd-kd.gamma``; for what is not there, the line is that of the keys above it."""
        above = (self.lines.get(path[:length]) for length in range(len(path), 0, -1))
        where = next(filter(None, above), self.file)
        return f"{where}: {'.'.join(map(str, path))}" if path else where

    def written_in(self, key: str) -> Path:
        """The configuration file that gives the outermost ``key``: relative paths go from its folder."""
        return self.files.get(key, Path(self.file))

    def over(self, base: Places) -> Places:
        """These, and for keys of which nothing is given here, those of ``base``."""
        given = {path[0] for path in self.lines}
        kept = {path: line for path, line in base.lines.items() if path[0] not in given}
        return Places(self.file, {**kept, **self.lines}, {**base.files, **self.files})

    def instead(self, where: str, *paths: KeyPath) -> Places:
        """The same, but for the values that ``where`` gives."""
        return Places(self.file, {**self.lines, **dict.fromkeys(paths, where)}, self.files)
