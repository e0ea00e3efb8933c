"""What the files of a folder register by name, read without importing them: they need torch, and a list does not."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.errors import UserError


@functools.cache
def registered(folder: Path, table: str) -> dict[str, Path]:
    """Name -> file, for every key of the dictionary ``table`` at the top level of a file in ``folder``.

    Keys must be written out as texts. Raises UserError if they are not, or if two files register the same name.
    """
    found: dict[str, Path] = {}
    for file in sorted(folder.glob("*.py")):
        for name in _keys(file, table):
            if name in found:
                raise UserError(f"{name} stands in {table} of {found[name].name} and of {file.name}")
            found[name] = file
    return found


def constant(file: Path, name: str, default: Any) -> Any:
    """Value of a constant at the top level of a file, or ``default``. Raises UserError unless it is written out."""
    value = assigned(_body(file), name)
    try:
        return default if value is None else ast.literal_eval(value)
    except ValueError:
        raise UserError(f"{file}: {name} must be written out: the file is not imported") from None


def assigned(body: Iterable[ast.stmt], name: str) -> ast.expr | None:
    """What the first of the statements that gives ``name`` a value gives it; None if none does."""
    for node in body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=found)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value)
            ) if found == name:
                return value
    return None


def _body(file: Path) -> list[ast.stmt]:
    return ast.parse(file.read_bytes(), filename=str(file)).body


def _keys(file: Path, table: str) -> list[str]:
    match assigned(_body(file), table):
        case None:
            return []
        case ast.Dict(keys=keys):
            return [_text(file, table, key) for key in keys]
    raise UserError(f"{file}: {table} must be written out as a dictionary: the file is not imported")


def _text(file: Path, table: str, key: ast.expr | None) -> str:
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return key.value
    raise UserError(f"{file}: {table}: every name must be written out as a text: the file is not imported")
