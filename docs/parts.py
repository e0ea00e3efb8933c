"""The table in docs/add-a-method.md of what methods are given and built from: read from the code, without importing."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).parents[1]
GIVEN = ("method", "task", "teacher", "schedule", "state", "presets")
"""Files of methods/base that somebody who writes a method meets."""
BOUNDS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "multiple_of": "a multiple of"}


def files() -> list[str]:
    """What is listed, the contract first."""
    shared = sorted(file.stem for file in (ROOT / "methods/parts").glob("[!_]*.py"))
    return [*(f"methods/base/{name}.py" for name in GIVEN), *(f"methods/parts/{name}.py" for name in shared)]


def parts() -> str:
    """A section for every file, a row for everything public in it."""
    return "".join(text for file in files() for text in _section(file))


def _section(file: str) -> Iterator[str]:
    module = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    yield f"### {file}\n\n{_doc(module)}\n\n| part | what it is |\n|---|---|\n"
    for node, text in _documented(module.body):
        if isinstance(node, ast.FunctionDef):
            yield _function(node)
        elif isinstance(node, ast.ClassDef):
            yield from _class(node)
        else:
            yield _row(_variable(node), text)
    yield "\n"


def _class(node: ast.ClassDef) -> Iterator[str]:
    """A row for the class with its constructor and the fields that need no word, and one for everything else in it."""
    bases = ", ".join(map(ast.unparse, node.bases))
    made = [f"{node.name}{_arguments(inner)}" for inner in node.body if _is_constructor(inner)]
    plain = [_variable(inner) for inner, text in _documented(node.body) if _name(inner) and not text]
    yield _row(f"class {node.name}" + (f"({bases})" if bases else ""), _doc(node), *made, *plain)
    for inner, text in _documented(node.body):
        if isinstance(inner, ast.FunctionDef):
            yield _function(inner, f"{node.name}.")
        elif text:
            yield _row(f"{node.name}.{_variable(inner)}", text)


def _is_constructor(node: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    return isinstance(node, ast.FunctionDef) and node.name == "__init__"


def _documented(body: Sequence[ast.stmt]) -> Iterator[tuple[ast.stmt, str]]:
    """What is public in a body: functions, classes and fields, and what else says what it is in the text behind it."""
    for node, behind in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            if (not node.name.startswith("_") or node.name == "__call__") and ast.get_docstring(node):
                yield node, ""
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            text = behind.value.value if isinstance(behind, ast.Expr) and isinstance(behind.value, ast.Constant) else ""
            if (text or isinstance(node, ast.AnnAssign)) and not _name(node).startswith("_"):
                yield node, str(text)


def _function(node: ast.FunctionDef, owner: str = "") -> str:
    """A row for a function, or for a property, which takes nothing."""
    given = ast.unparse(node.returns) if node.returns else ""
    if any(ast.unparse(decorator) == "property" for decorator in node.decorator_list):
        return _row(f"{owner}{node.name}: {given}", _doc(node))
    return _row(f"{owner}{node.name}{_arguments(node)} -> {given}", _doc(node))


def _arguments(node: ast.FunctionDef) -> str:
    listed = ast.unparse(node.args)
    return f"({listed.removeprefix('self').removeprefix('cls').removeprefix(', ')})"


def _name(node: ast.stmt) -> str:
    if isinstance(node, ast.AnnAssign):
        return ast.unparse(node.target)
    return ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else ""


def _variable(node: ast.stmt) -> str:
    """Name, type, default and range of a field; name alone of what is no field."""
    if not isinstance(node, ast.AnnAssign):
        return _name(node)
    default, bounds = ("" if node.value is None else ast.unparse(node.value)), ""
    if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "Field":
        told = {keyword.arg: ast.unparse(keyword.value) for keyword in node.value.keywords}
        default = told.get("default", "")
        bounds = "".join(f", {sign} {told[bound]}" for bound, sign in BOUNDS.items() if bound in told)
    return f"{_name(node)}: {ast.unparse(node.annotation)}{f' = {default}' if default else ''}{bounds}"


def _doc(node: ast.Module | ast.ClassDef | ast.FunctionDef) -> str:
    return ast.get_docstring(node) or ""


def _row(code: str, text: str, *more: str) -> str:
    shown = "<br>".join(f"`{each}`" for each in (code, *more))
    return f"| {_flat(shown)} | {_flat(text).replace('``', '`')} |\n"


def _flat(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
