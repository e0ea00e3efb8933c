"""Which datasets there are, which file reads each, and where images lie. Read from the files, never imported."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from harness.registry import constant, registered

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """All known datasets."""
    return list(registered(FOLDER, "DATASETS"))


def source(name: str) -> Path:
    """The file that reads a dataset."""
    return registered(FOLDER, "DATASETS")[name]


def folder() -> Path:
    """Where the files of all datasets lie."""
    return Path(os.environ.get("DKD_DATA", "data")).expanduser()


@functools.cache
def places(name: str) -> list[str]:
    """What a dataset's images come from, below `folder`: what its file says in FILES, or else a folder of its name."""
    return list(constant(source(name), "FILES", {}).get(name, [name]))


@functools.cache
def official(name: str) -> bool:
    """Whether the official checksums of its files stand in its code, which then tells what images these are."""
    return name in constant(source(name), "OFFICIAL", ())
