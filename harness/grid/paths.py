"""Paths that a configuration names: they go from the folder of the file in which they are written."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ConfigError, one_line
from harness.explain import shown


def beside(file: Path, text: str, where: str, needed: bool = True) -> Path:
    """The file or folder that ``text`` names in the configuration ``file``: absolute, without links.

    Args:
        file: the configuration file; of one that ``extends`` another, the one in which ``text`` is written.
        text: a path from the folder of ``file``, from ``~`` or from the root.
        where: where ``text`` stands, such as ``mine.yaml:4: methods.mine.method``.
        needed: whether it must be there; grids are also listed where their images are not.

    Raises ConfigError that says where it looked.
    """
    if not text.strip():
        raise ConfigError(where, f"{shown(text)}: the path of a file is wanted")
    try:
        path = Path(file.absolute().parent, Path(text).expanduser()).resolve()
        there = path.exists()
    except (OSError, ValueError, RuntimeError):  # a name that no file can have, a circle of links, ~ without a home
        raise ConfigError(where, f"{shown(text)}: no file can have this path") from None
    if needed and not there:
        raise ConfigError(where, f"{shown(text)}: no such file; it was looked for at {one_line(str(path))}")
    return path
