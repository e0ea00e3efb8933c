"""Files that options name, such as embeddings: in a study ``label_embedding: {file: emb.npz}``.

A method's configuration has a field ``label_embedding: File | None = None`` for it, and its constructor opens
``self.config.label_embedding`` like a path. A result depends on what such a file holds and not on where it lies: its
sha256 stands in the key and in the records. A text alone would not do: keys are computed, and files looked for, without
importing the method, and nothing else tells a path from any other text.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic_core import PydanticCustomError, core_schema


@dataclass(frozen=True)
class File:
    """A file that is there; `open`, `numpy.load` and `torch.load` take it as a path."""

    path: Path
    """Absolute."""

    @property
    def sha256(self) -> str:
        """Of its content, read once until `forget`."""
        return _sha256(self.path)

    @property
    def record(self) -> dict[str, str]:
        """What keys and records hold of it."""
        return {"sha256": self.sha256}

    def __fspath__(self) -> str:
        return str(self.path)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: object) -> core_schema.CoreSchema:
        recorded = core_schema.plain_serializer_function_ser_schema(lambda file: file.record)
        return core_schema.no_info_plain_validator_function(_wanted, serialization=recorded)


def forget() -> None:
    """Read all files again when their sha256 is asked for next."""
    _sha256.cache_clear()


@functools.cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _wanted(value: Any) -> File:
    if not isinstance(value, File):
        raise PydanticCustomError("file", "a file is wanted, written as {file: PATH}")
    return value
