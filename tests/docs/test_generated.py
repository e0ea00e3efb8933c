"""The pages that follow from the code are what the code says, and say what the code does."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

import methods
from docs import generate
from harness.data.own import OwnData
from harness.grid.pairs import AskedPair, AskedTeacher
from harness.grid.study import Budget, Label, Study, load_study
from methods.base.method import MethodConfig

ROOT = Path(__file__).parents[2]


PAPERS = {file.name for file in (ROOT / "methods").glob("*.py")}


@pytest.mark.parametrize("name", generate.PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    committed = (generate.DOCS / name).read_text(encoding="utf-8")
    # A method is added by its file alone: its line and its section in the pages may come later.
    new = [f"| `{paper}` |" for paper in PAPERS if f"| `{paper}` |" not in committed]
    sections = re.split(r"^(?=## )", generate.page(name), flags=re.MULTILINE)
    later = {f"## {method}" for method in methods.names()} - set(committed.splitlines())
    known = "".join(section for section in sections if section.splitlines()[0] not in later)
    made = [line for line in known.splitlines() if not line.startswith(tuple(new))]
    assert committed.splitlines() == made, "run: python docs/generate.py"


def test_every_file_has_its_line() -> None:
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    for folder in ("harness", "methods/base", "methods/parts"):
        for file in (ROOT / folder).rglob("*.py"):
            if file.name not in ("__init__.py", "__main__.py"):
                assert f"| `{file.name}` |" in page.partition(f"## {file.parent.relative_to(ROOT).as_posix()}/")[2]


def test_every_key_of_a_study_is_documented_with_an_example_that_is_accepted(tmp_path: Path) -> None:
    page = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    models = (Study, OwnData, AskedPair, AskedTeacher, Budget, Label)
    for model, section in zip(models, page.split("\n## ")[-len(models) - 1 : -1], strict=True):
        for name, field in model.model_fields.items():
            (row,) = [line for line in section.splitlines() if re.match(rf"\| `{name}` \|", line)]
            assert field.description and row.split(" | ")[4].strip(" |")
    examples = {name: field.examples[0] for name, field in Study.model_fields.items() if field.examples}
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump({**examples, "extends": None}), encoding="utf-8")
    assert load_study(file).study == examples["study"]


def test_a_budget_is_what_every_method_is_told() -> None:
    assert Budget.model_fields.keys() == MethodConfig.model_fields.keys()


@pytest.mark.parametrize(
    "page", sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("re*/README.md")])
)
def test_files_and_pages_that_are_named_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = {link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link}
    assert not [link for link in links if link and not (page.parent / link).exists()]
    named = set(re.findall(r"`((?:harness|methods|workflow|profiles|benchmarks|tests|docs)/[\w./-]+)`", text))
    assert not [path for path in named if not (ROOT / path).exists() and not path.startswith("profiles/<")]


def test_the_readme_leads_to_every_page() -> None:
    links = set(re.findall(r"\]\((docs/[^)#\s]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
    pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "docs").rglob("*.ipynb")]
    assert not {page.relative_to(ROOT).as_posix() for page in pages} - links


@pytest.mark.parametrize("file", sorted([*(ROOT / "harness").rglob("*.py"), *(ROOT / "methods").rglob("*.py")]))
def test_files_that_docstrings_name_exist(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    named = set(re.findall(r"`?\b((?:harness|methods|docs|workflow|tests)/[\w./-]+\.(?:py|md|yaml|csv))", text))
    assert not [path for path in named if not (ROOT / path).exists()]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            inner = re.findall(r"`(\w+\.py)`", ast.get_docstring(node) or "")
            assert not [name for name in inner if not any(ROOT.glob(f"*/**/{name}"))]
