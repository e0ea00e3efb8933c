"""Keys: what a result depends on, as a hash. Computed without torch, known before any training.

Plan key = the cell's configuration + the code of its method and of every `methods` module that it imports + the
networks' code + ``NUMBERS``. Cell key = plan key + the teacher's sha256. Comments, docstrings and layout do not count.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from pathlib import Path

import methods
from harness import ROOT, networks
from harness.grid.cell import Cell
from harness.store.records import to_json

NUMBERS = 2
"""Raise this when a change outside methods/ and networks/ moves results: every cell then gets a new key."""
NOT_IN_KEY = ("device", "checkpoint_seconds")
"""Fields of a cell that do not change what is computed."""
LENGTH = 16
"""Hexadecimal digits of a key: 64 bits, no collision to fear among millions of cells."""


def plan_key(cell: Cell) -> str:
    """Key of everything that is known before the teacher is trained."""
    # Everything a cell has counts unless it is named as harmless: a field that is added later cannot be forgotten here.
    config = {name: value for name, value in vars(cell).items() if name not in NOT_IN_KEY}
    plain = {"pair": cell.pair.folder, "budget": cell.budget.options, "options": dict(cell.options)}
    return _digest({"cell": config | plain, "sources": sources(cell), "numbers": NUMBERS})


def cell_key(plan: str, teacher_sha256: str) -> str:
    """Key of a result; names the folder of its run."""
    return _digest([plan, teacher_sha256])


def sources(cell: Cell) -> dict[str, str]:
    """File -> hash of its code, for every file whose change would change the cell's numbers."""
    return dict(_sources(methods.source(cell.method), cell.pair.teacher, cell.pair.student))


@functools.cache
def code_hash(path: Path) -> str:
    """sha256 of a Python file without comments, docstrings and layout."""
    tree = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [statement for statement in node.body if not _is_text(statement)] or [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()


@functools.cache
def _sources(method: Path, *names: str) -> dict[str, str]:
    files = {*_closure(method), *(networks.source(name) for name in names)}
    return {_label(file): code_hash(file) for file in sorted(files)}


@functools.cache
def _closure(path: Path) -> frozenset[Path]:
    """``path`` and every module of the `methods` package that it imports, directly or not."""
    seen: set[Path] = set()
    waiting = [path]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting.extend(_imports(file))
    return frozenset(seen)


@functools.cache
def _imports(path: Path) -> tuple[Path, ...]:
    """The modules of the `methods` package that a file imports; each is read once for all methods that use it."""
    found: list[Path] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
        if isinstance(node, ast.ImportFrom) and node.module:
            candidates = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            candidates = [alias.name for alias in node.names]
        else:
            continue
        found += [file for name in candidates if (file := _methods_file(name))]
    return tuple(found)


def _methods_file(module: str) -> Path | None:
    if not module.startswith("methods."):
        return None
    file = methods.FOLDER.parent / (module.replace(".", "/") + ".py")
    return file if file.exists() else None


def _is_text(node: ast.stmt) -> bool:
    """A docstring, or a text that documents an attribute."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _label(file: Path) -> str:
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)


def _digest(value: object) -> str:
    return hashlib.sha256(to_json(value).encode()).hexdigest()[:LENGTH]
