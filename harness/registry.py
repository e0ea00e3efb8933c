"""What the files of a folder register by name, read without importing them: they need torch, and a list does not."""

from __future__ import annotations

import ast
import functools
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
    for node in ast.parse(file.read_bytes(), filename=str(file)).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=found)], value=ast.expr() as value)
                | ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value)
            ) if found == name:
                try:
                    return ast.literal_eval(value)
                except ValueError:
                    raise UserError(f"{file}: {name} must be written out: the file is not imported") from None
    return default


def _keys(file: Path, table: str) -> list[str]:
    for node in ast.parse(file.read_bytes(), filename=str(file)).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys))
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict(keys=keys))
            ) if name == table:
                return [_text(file, table, key) for key in keys]
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if name == table:
                raise UserError(f"{file}: {table} must be written out as a dictionary: the file is not imported")
    return []


def _text(file: Path, table: str, key: ast.expr | None) -> str:
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return key.value
    raise UserError(f"{file}: {table}: every name must be written out as a text: the file is not imported")
