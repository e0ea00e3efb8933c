"""Imports point one way: reporting -> records <- harness -> methods -> methods.parts."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def imports(file: Path) -> set[str]:
    """Modules that a file imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update([node.module, *(f"{node.module}.{alias.name}" for alias in node.names)])
    return found


def files(folder: str) -> list[Path]:
    found = sorted((ROOT / folder).rglob("*.py"))
    assert found
    return found


def starts(module: str, *packages: str) -> bool:
    return any(module == package or module.startswith(package + ".") for package in packages)


@pytest.mark.parametrize("file", files("methods"), ids=str)
def test_methods_know_nothing_of_the_bench(file: Path) -> None:
    forbidden = ("harness", "mlflow", "snakemake", "pandas", "tests")
    assert not [module for module in imports(file) if starts(module, *forbidden)]


@pytest.mark.parametrize("file", files("methods/parts"), ids=str)
def test_parts_know_no_method(file: Path) -> None:
    methods = [
        f"methods.{path.stem}" for path in (ROOT / "methods").glob("*.py") if path.stem not in ("__init__", "base")
    ]
    assert not [module for module in imports(file) if starts(module, *methods)]


@pytest.mark.parametrize("file", [f for f in files("methods") if f.parent.name == "methods"], ids=str)
def test_no_method_knows_another(file: Path) -> None:
    others = [f"methods.{path.stem}" for path in (ROOT / "methods").glob("*.py")]
    allowed = ("methods.base", "methods.__init__")
    assert not [m for m in imports(file) if starts(m, *others) and not starts(m, *allowed)]


@pytest.mark.parametrize("file", files("harness/reporting"), ids=str)
def test_reporting_reads_records_alone(file: Path) -> None:
    allowed = ("harness.reporting", "harness.records", "harness.storage", "harness.errors")
    ours = [m for m in imports(file) if starts(m, "harness", "methods", "torch", "mlflow")]
    assert not [m for m in ours if m != "harness" and not starts(m, *allowed)]


@pytest.mark.parametrize("file", files("harness"), ids=str)
def test_the_bench_names_no_method(file: Path) -> None:
    names = {path.stem for path in (ROOT / "methods").glob("*.py")} - {"__init__", "base", "references"}
    names |= {name.replace("_", "-") for name in names}
    literals = {
        node.value
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not literals & names


@pytest.mark.parametrize("file", [f for f in files("harness") if f.name != "storage.py"], ids=str)
def test_one_module_alone_renames_and_syncs_files(file: Path) -> None:
    calls = {f"os.{name}" for name in ("fsync", "rename", "replace")}
    used = {ast.unparse(node) for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Attribute)}
    assert not [name for name in used if name in calls or name.endswith(".rename")]
