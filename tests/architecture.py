"""Which package may import which, read from the sources alone; `test_architecture.py` holds the repository to it.

Imports go down only. Imports inside functions count like all others.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

KEPT = {"harness.store", "harness.errors"}
CONTRACT = {"methods.base", "methods.parts"}
"""What the bench may know of methods beside their registry; never a paper."""

ALLOWED: dict[str, set[str]] = {
    "methods.base": set(),
    "methods.parts": {"methods.base"},
    "methods": {"methods.base"},
    "methods.papers": {"methods.base", "methods.parts"},
    "harness": set(),
    "harness.errors": set(),
    "harness.wording": set(),
    "harness.explain": {"harness.errors"},
    "harness.terminal": {"harness.errors"},
    "harness.start": {"harness", "harness.errors"},
    "harness.registry": {"harness.errors"},
    "harness.code": {"harness", "methods.base"},
    "harness.machine": {"harness", "harness.errors", "harness.terminal"},
    "harness.store": {"harness.errors", "harness.machine", "harness.terminal", "methods.base"},
    "harness.remaining": {"harness.store"},
    "harness.networks": {*KEPT, "harness.registry", "methods.base"},
    "harness.data": {*KEPT, "harness.code", "harness.explain", "harness.registry", "harness.terminal", *CONTRACT},
    "harness.grid": {
        *("harness", "harness.code", "harness.explain", "harness.networks", "harness.data"),
        *(*KEPT, "harness.machine", "harness.wording", "methods", "methods.base"),
    },
    "harness.engine": {"harness.data", "harness.machine", *KEPT, *CONTRACT},
    "harness.teachers": {
        *("harness.engine", "harness.networks", "harness.data", "harness.machine", "harness.explain"),
        *("harness.code", "harness.terminal", "harness.wording", *KEPT, *CONTRACT),
    },
    "harness.run": {
        *("harness", "harness.teachers", "harness.engine", "harness.grid", "harness.networks", "harness.data"),
        *("harness.machine", "harness.explain", "harness.terminal", *KEPT, "methods", *CONTRACT),
    },
    "harness.tracking": {*KEPT, "harness.machine", "harness.reporting", "harness.terminal", "harness.wording"},
    "harness.reporting": {
        *("harness.machine", "harness.remaining", "harness.terminal", "harness.wording", *KEPT),
        *("methods", "methods.base"),
    },
    "harness.commands": {
        *("harness", "harness.code", "harness.run", "harness.teachers", "harness.engine", "harness.grid"),
        "harness.networks",
        *("harness.data", "harness.machine", "harness.tracking", "harness.reporting", "harness.start"),
        *("harness.terminal", "harness.explain", "harness.registry", "harness.remaining", "harness.wording", *KEPT),
        *("methods", "methods.base", "methods.parts"),
    },
    "harness.cli": {
        *("harness", "harness.commands", "harness.teachers", "harness.grid", "harness.data"),
        *("harness.tracking", "harness.reporting", "harness.machine", "harness.errors", "harness.start"),
        *("harness.terminal", "harness.store", "harness.wording"),
    },
    "harness.__main__": {"harness.cli"},
}
"""Package, or module at the top of one -> what it may import beside itself."""


def problems(root: Path) -> list[str]:
    """Every import that goes where it may not, and every circle of modules; empty if all go down."""
    ours = files(root)
    imports = {module: set(_imports(file, set(ours))) for module, file in ours.items()}
    wrong = [
        f"{module} imports {target}: {package(module)} may import {sorted(ALLOWED[package(module)])}"
        for module, targets in imports.items()
        for target in sorted(targets)
        if package(target) not in {*ALLOWED[package(module)], package(module)}
        or package(module) == package(target) == "methods.papers"
    ]
    return wrong + [f"circle: {' → '.join(circle)}" for circle in circles(imports)]


def unused(root: Path) -> list[str]:
    """Allowances that no import needs: the walls shall not be lower than the house."""
    ours = files(root)
    used = {(package(module), package(target)) for module, file in ours.items() for target in _imports(file, set(ours))}
    return [
        f"{name} imports {other}" for name, others in ALLOWED.items() for other in others if (name, other) not in used
    ]


def files(root: Path) -> dict[str, Path]:
    """Module -> file, for all of `harness` and `methods`."""
    found = {}
    for folder in ("harness", "methods"):
        for file in sorted((root / folder).rglob("*.py")):
            parts = file.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def package(module: str) -> str:
    """The package whose rules a module has to keep; a file at the top of `methods` is a paper."""
    first, *rest = module.split(".")
    name = ".".join([first, *rest[:1]])
    return name if name in ALLOWED else "methods.papers"


def circles(imports: Mapping[str, set[str]]) -> list[list[str]]:
    """The circles among modules, each once, by depth-first search."""
    found: list[list[str]] = []
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> None:
        if module in path:
            found.append([*path[path.index(module) :], module])
        elif module not in done:
            for target in sorted(imports.get(module, set()) - {module}):
                visit(target, [*path, module])
            done.add(module)

    for module in sorted(imports):
        visit(module, [])
    return found


def _imports(file: Path, modules: set[str]) -> Iterator[str]:
    """The modules of ours that a file imports, anywhere in it: ``from a import b`` is a.b where that is a module."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            yield from (
                inner if (inner := f"{node.module}.{alias.name}") in modules else node.module for alias in node.names
            )
