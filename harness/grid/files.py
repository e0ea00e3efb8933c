"""Files that a study names: a method's own, and those in options. Looked for before any work starts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import methods
from harness import code
from harness.errors import ConfigError, one_line
from harness.explain import shown
from harness.grid import paths
from methods.base.files import File

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,79}")
"""Of a file: records and run folders bear it."""


def method(text: str, file: Path, where: str) -> tuple[str, Path | None]:
    """Name of a method, and its file if it lies outside methods/: then the name is that of the file.

    Args:
        text: a name, or the path of a .py file.
        file: the configuration in which it is written.
        where: it stands there.

    Raises ConfigError.
    """
    if not text.endswith(".py"):
        if text not in methods.names():
            raise ConfigError(where, f"unknown method: {shown(text)}", text, methods.names())
        return text, None
    path = paths.regular(file, text, where)
    _check_name(Path(text).name, where)
    try:
        code.closure(path, ())
    except (SyntaxError, OSError) as error:
        raise ConfigError(where, f"{shown(text)}: cannot be read as Python: {one_line(str(error))}") from None
    return Path(text).name, path


def options(values: Mapping[str, Any], file: Path, at: Callable[[str], str]) -> dict[str, Any]:
    """Options, with a File for every ``{file: PATH}``, also in a list. Raises ConfigError.

    Args:
        values: as they are written.
        file: the configuration in which they are written.
        at: where the option of a name stands.
    """
    return {name: _found(value, file, at(name)) for name, value in values.items()}


def named(values: Mapping[str, Any]) -> dict[str, Path]:
    """The files in options: ``option/name of the file``, with its number before it in a list -> where it lies."""
    found = {name: value for name, value in values.items() if isinstance(value, File)}
    lists = {name: value for name, value in values.items() if isinstance(value, list)}
    found |= {f"{name}/{number}": item for name, items in lists.items() for number, item in enumerate(items)}
    return {f"{name}/{file.path.name}": file.path for name, file in found.items() if isinstance(file, File)}


def plain(value: Any) -> Any:
    """Options as keys and records have them: of a file its sha256 alone."""
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value.record if isinstance(value, File) else value


def _found(value: Any, file: Path, where: str) -> Any:
    if isinstance(value, list):
        return [_found(inner, file, where) for inner in value]
    if not isinstance(value, dict) or set(value) != {"file"}:
        return value
    if not isinstance(value["file"], str):
        raise ConfigError(f"{where}.file", f"{shown(value['file'])}: the path of a file is wanted")
    path = paths.regular(file, value["file"], f"{where}.file")
    _check_name(path.name, where)
    try:
        path.open("rb").close()
    except OSError as error:
        raise ConfigError(f"{where}.file", f"cannot be read: {error.strerror}: {one_line(str(path))}") from None
    return File(path)


def _check_name(name: str, where: str) -> None:
    if not NAME.fullmatch(name):
        letters = "letters, digits and . _ + -, at most 80 in all"
        raise ConfigError(where, f"{shown(name)}: results bear the file's name, so rename it: {letters}")
