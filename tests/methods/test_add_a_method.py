"""The methods of docs/add-a-method.md work as it says: as files anywhere, and in methods/ under their names."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import methods
from harness.commands.contract import contract_problems
from tests import small
from tests.methods.test_no_sync import Watch, run, watch  # noqa: F401 - a fixture

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "add-a-method.md"


def python(page: Path) -> list[str]:
    """A page's blocks of Python."""
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture(params=["flat", "lives"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A block of Python of the document, under its method's name in a folder of its own."""
    blocks = python(DOCUMENT)
    (block,) = [block for block in blocks if f'name = "{request.param}"' in block]
    written = tmp_path / f"{request.param}.py"
    written.write_text(block, encoding="utf-8")
    return written


def test_the_readme_shows_the_first_of_them() -> None:
    assert python(ROOT / "README.md") == python(DOCUMENT)[:1]


def test_it_keeps_the_contract_where_it_lies(file: Path) -> None:
    assert contract_problems(str(file)) == []


def test_it_keeps_the_contract_in_the_folder_of_the_methods(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(methods, "FOLDER", file.parent)
    monkeypatch.setattr(methods, "__path__", [*methods.__path__, str(file.parent)])
    assert file.stem in methods.names()
    assert methods.load(file.stem).__module__ == f"methods.{file.stem}"
    assert contract_problems(file.stem) == []


def test_it_does_not_read_the_device(file: Path, watch: Watch) -> None:  # noqa: F811 - the fixture
    cls = methods.load(str(file))
    smoke = cls.presets["smoke"].options if "smoke" in cls.presets else {}
    given = small.context(*small.agreeing_pair(), scale=0.2)
    run(cls(cls.Config(**{**smoke, **small.FEW}), given), watch)


def test_it_builds_on_base_and_parts_alone(file: Path) -> None:
    """As tests/test_architecture.py asks of every file in methods/."""
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    modules = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    ours = [module for module in modules if module.split(".")[0] in ("methods", "harness", "tests")]
    assert ours
    assert all(module.startswith(("methods.base.", "methods.parts.")) for module in ours)
