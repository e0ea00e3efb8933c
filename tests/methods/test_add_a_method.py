"""The method of docs/add-a-method.md works as the document says: as a file anywhere, and in methods/ under its name."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import methods
from harness.commands.contract import contract_problems

DOCUMENT = Path(__file__).parents[2] / "docs" / "add-a-method.md"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The document's first block of Python, as flat.py in a folder of its own."""
    block = re.search(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    assert block
    written = tmp_path / "flat.py"
    written.write_text(block[1], encoding="utf-8")
    return written


def test_it_keeps_the_contract_where_it_lies(file: Path) -> None:
    assert contract_problems(str(file)) == []


def test_it_keeps_the_contract_in_the_folder_of_the_methods(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "FOLDER", file.parent)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(file.parent)])
    assert "flat" in methods.names()
    assert methods.load("flat").__module__ == "methods.flat"
    assert contract_problems("flat") == []


def test_it_builds_on_base_and_parts_alone(file: Path) -> None:
    """As tests/test_architecture.py asks of every file in methods/."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    ours = [module for module in modules if module.split(".")[0] in ("methods", "harness", "tests")]
    assert ours
    assert all(module.startswith(("methods.base.", "methods.parts.")) for module in ours)
