"""What a check has found so far: one JSON file, whole after every item, from which a later call goes on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from harness.store.atomic import write_bytes

Found = dict[str, Any]
"""What an item measured; with the key ``error`` where it failed."""


class Record:
    """The items of every part, by name; one process at a time writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.content: dict[str, Any] = {"parts": {}, "now": None}
        if path.exists():
            self.content = json.loads(path.read_text(encoding="utf-8"))

    @property
    def parts(self) -> dict[str, dict[str, Found]]:
        """Part -> item -> what it found."""
        parts: dict[str, dict[str, Found]] = self.content["parts"]
        return parts

    @property
    def failures(self) -> dict[str, str]:
        """Item -> what went wrong."""
        return {
            f"{part}: {item}": found["error"]
            for part, items in self.parts.items()
            for item, found in items.items()
            if "error" in found
        }

    def begin(self, part: str, item: str) -> None:
        """Note what is being done, for the case that this process does not survive it."""
        self.content["now"] = [part, item]
        self._write()

    def end(self, part: str, item: str, found: Found) -> None:
        """Keep what an item found."""
        self.parts.setdefault(part, {})[item] = found
        self.content["now"] = None
        self._write()

    def lost(self, reason: str) -> bool:
        """Note that the process at work on an item is gone; whether there was one."""
        if now := self.content["now"]:
            self.end(*now, {"error": reason})
        return bool(now)

    def try_again(self) -> None:
        """Forget what failed, and what was interrupted: a new call tries it again."""
        for items in self.parts.values():
            for item in [item for item, found in items.items() if "error" in found]:
                del items[item]
        self.content["now"] = None
        self._write()

    def _write(self) -> None:
        write_bytes(self.path, json.dumps(self.content, indent=1).encode())
